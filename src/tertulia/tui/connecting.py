"""The first connection, which begins before Textual is imported, because both take long.

Nothing here waits: a separate thread makes the connection, and rings the bell.
"""

from collections.abc import Callable
from typing import NamedTuple

from tertulia.chat.credentials import Credentials
from tertulia.chat.destination import Destination
from tertulia.chat.entering import Entrance
from tertulia.chat.trust import Trust
from tertulia.chat.whereabouts import Whereabouts
from tertulia.client.reconnect import Attempt, Reconnector
from tertulia.tui.loopbell import LoopBell


class Connecting(NamedTuple):
    """The first attempt to connect, the reconnector for a later loss, and the bell of both.

    `with_code` begins another first attempt, after the server has asked for the code.
    """

    to: Destination
    attempt: Attempt
    reconnector: Reconnector
    bell: LoopBell  # it rings when an attempt has ended, and when something has arrived
    with_code: Callable[[str], Attempt]
    whereabouts: Whereabouts | None = None
    operator_secret: str | None = None


def begin_connecting(
    to: Destination,
    credentials: Credentials | None = None,
    trust: Trust | None = None,
    *,
    wait_s: float = 0.0,
    takes_free_name: bool = False,
) -> Connecting:
    """Start the first attempt; see Entrance for the options."""
    bell = LoopBell()
    entrance = Entrance(
        to, bell.ring, credentials, trust, wait_s=wait_s, takes_free_name=takes_free_name
    )

    def begin() -> Attempt:
        attempt = Attempt(entrance.enter, bell.ring)
        attempt.start()
        return attempt

    def with_code(code: str) -> Attempt:
        entrance.credentials.code = code
        return begin()

    return Connecting(
        to, begin(), entrance.reconnector(), bell, with_code, entrance.whereabouts,
        entrance.credentials.operator_secret,
    )  # fmt: skip
