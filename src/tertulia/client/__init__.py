"""The library for bots and faces: a connection, and a client that comes back."""
