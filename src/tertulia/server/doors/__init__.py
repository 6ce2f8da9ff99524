"""What clients speak: each door turns bytes into requests and messages into bytes."""
