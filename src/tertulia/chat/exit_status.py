"""The exit status of the program `tertulia`: what a script can tell from it."""

EXIT_FINE = 0
EXIT_NO_CONNECTION = 3
EXIT_REFUSED = 4  # at the entrance: the registration, or the server's certificate
EXIT_LOST = 5  # the connection; or an operator has ended the session
EXIT_NOT_ALL_SAID = 6
