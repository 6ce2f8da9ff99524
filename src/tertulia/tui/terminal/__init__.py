"""The terminal below the screen: signals, pastes, bare text, and Textual's private parts."""
