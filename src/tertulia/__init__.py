"""tertulia: a chat for people who share a network."""

__version__ = "0.1.0"
