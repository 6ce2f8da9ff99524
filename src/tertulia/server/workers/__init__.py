"""The threads that serve: accept, read, carry out, send, and watch."""
