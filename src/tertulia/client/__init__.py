"""The library for bots and faces: a connection, and a client that reconnects by itself.

A `Client` lives as long as its connection; a `PersistentClient` makes another connection when one
is lost.
"""
