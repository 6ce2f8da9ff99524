"""tertulia: a chat for people who share a network."""

from tertulia.version import __version__

__all__ = ["__version__"]
