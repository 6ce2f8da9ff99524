"""The client as the server hands it out: the wheel of this version, and others that it has."""
