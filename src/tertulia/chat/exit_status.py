"""The exit statuses of the program `tertulia`, by which a script learns the outcome.

Constants only; safe in any thread.
"""

EXIT_FINE = 0
EXIT_NO_CONNECTION = 3
EXIT_REFUSED = 4  # the server refused the registration, or its certificate was refused
EXIT_LOST = 5  # the connection was lost, or an operator ended the session
EXIT_NOT_ALL_SAID = 6
