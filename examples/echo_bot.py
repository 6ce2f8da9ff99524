"""A bot that answers each direct message with its text: echo_bot.py HOST PORT."""

import sys

from tertulia.client.client import Client
from tertulia.client.errors import ChatError
from tertulia.protocol.messages import DirectMessage


def main(host: str, port: int) -> None:
    """Echo until the connection ends."""
    with Client.connect(host, port, "echo", events="messages") as bot:
        for event in bot.events():
            if isinstance(event, DirectMessage):
                try:
                    bot.direct(event.sender, event.text)
                except ChatError as error:  # that user is gone already, for example
                    print(f"no echo for {event.sender}: {error}", file=sys.stderr)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: echo_bot.py HOST PORT")
    try:
        main(sys.argv[1], int(sys.argv[2]))
    except ChatError as error:  # it was not let in, or the connection broke
        sys.exit(f"echo_bot.py: {error}")
