"""The terminal below the screen: signals, pastes, bare text, and Textual's private parts.

Its modules know no chat. Each states which thread runs it.
"""
