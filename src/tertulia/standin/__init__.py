"""A stand-in for the library msgspec in plain Python, for the client that is one file.

msgspec is compiled for one system, and that file has to run on all of them. This has only what the
client uses, and is slower; an installed client and the server never load it.
"""
