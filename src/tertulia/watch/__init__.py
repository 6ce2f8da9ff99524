"""The live view of a running server: `tertulia-server PORT --watch`, and its snapshot."""
