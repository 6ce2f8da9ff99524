"""TLS as server and client share it: a channel over a socket, and a certificate's fingerprint."""
