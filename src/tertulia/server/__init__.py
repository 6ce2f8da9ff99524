"""The server: acceptor, workers, hub, event log. See ARCHITECTURE.md for which thread runs what."""
