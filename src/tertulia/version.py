"""The version of the program, for both of its commands and for the build."""

__version__ = "0.1.0"
