"""A parent that watches the server, its child, and what they and systemd say to each other.

The parent keeps no state of the chat, and imports nothing of the server.
"""
