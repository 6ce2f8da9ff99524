"""A parent process that watches the server, and the messages between them and to systemd.

The parent keeps no state of the chat and imports no other part of the server.
"""
