"""The server's certificate: made, kept, renewed, or that of the operator."""
