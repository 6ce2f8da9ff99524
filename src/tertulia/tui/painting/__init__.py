"""Lays out and colours text for the screen: wrapping, styles, themes.

It never reads the network or the terminal. Runs on the event loop's thread.
"""
