"""What travels between a client and the server: messages, lines, names, texts.

No socket, thread, clock or log in here: bytes in, messages out, and back.
"""
