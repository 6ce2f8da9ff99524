"""A bot that answers each direct message with its text: echo_bot.py HOST PORT [SOURCE].

It outlives restarts of the server.
"""

import sys

from tertulia import ChatError, DirectMessage, PersistentClient


def main(host: str, port: int, source: str | None) -> None:
    """Echo until Ctrl+C."""
    with PersistentClient.connect(host, port, "echo", source=source, events="messages") as bot:
        print("to try it, write: @echo hello", flush=True)
        for event in bot.events():
            if isinstance(event, DirectMessage):
                try:
                    bot.direct(event.sender, event.text)
                except ChatError as error:  # for example because that user has left
                    print(f"no echo for {event.sender}: {error}", file=sys.stderr)


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4):
        sys.exit("usage: echo_bot.py HOST PORT [SOURCE]")
    try:
        main(sys.argv[1], int(sys.argv[2]), sys.argv[3] if sys.argv[3:] else None)
    except ChatError as error:  # no connection, or the registration was refused
        sys.exit(f"echo_bot.py: {error}")
    except KeyboardInterrupt:
        pass
