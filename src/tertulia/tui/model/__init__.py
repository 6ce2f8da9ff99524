"""What the full screen shows, without a widget."""
