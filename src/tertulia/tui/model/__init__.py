"""The content of the full screen, without widgets.

Events come in, entries for the screen come out. Runs on the event loop's thread.
"""
