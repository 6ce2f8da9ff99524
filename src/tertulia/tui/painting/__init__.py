"""How text becomes lines in colour: wrapping, styles, themes."""
