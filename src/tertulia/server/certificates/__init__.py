"""The server's certificate: one that it makes, keeps and renews, or one from the operator."""
