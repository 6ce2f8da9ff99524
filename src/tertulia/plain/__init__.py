"""The line-by-line face: for screen readers, dumb terminals and pipes.

It never writes an escape sequence. It runs in the main thread.
"""
