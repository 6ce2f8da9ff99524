"""The client: a library for bots and tests (`client.py`), and the faces that show a chat."""
