"""The general chat on disk."""
