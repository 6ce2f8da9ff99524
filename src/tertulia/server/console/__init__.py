"""The operator's console on the server's own machine: the socket, and the program that uses it."""
