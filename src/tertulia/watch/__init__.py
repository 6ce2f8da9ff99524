"""The live view of a running server: `tertulia-server PORT --watch`, and its snapshot.

It runs in a process of its own and changes nothing on the server.
"""
