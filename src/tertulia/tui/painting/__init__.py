"""Text laid out and coloured for the screen: wrapping, styles, themes."""
