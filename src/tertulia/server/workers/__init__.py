"""The threads that serve clients: they accept, read, carry out requests, and send."""
