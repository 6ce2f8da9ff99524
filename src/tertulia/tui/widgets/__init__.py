"""The widgets and screens of the full screen."""
