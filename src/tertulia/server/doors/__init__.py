"""The protocols of clients: each door turns bytes into requests, and messages into bytes."""
