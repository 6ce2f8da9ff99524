"""The first connection, begun before Textual is imported: both take their time.

Nothing here waits: the connection is made by a thread of its own, which rings the bell.
"""

from functools import partial
from typing import NamedTuple

from tertulia.chat.chat import connect_face
from tertulia.chat.destination import Destination
from tertulia.client.reconnect import Attempt, Reconnector
from tertulia.tui.loopbell import LoopBell


class Connecting(NamedTuple):
    """The first attempt to connect, the reconnector for a later loss, and the bell of both."""

    to: Destination
    attempt: Attempt
    reconnector: Reconnector
    bell: LoopBell  # rung when an attempt has ended, and when something has arrived


def begin_connecting(to: Destination) -> Connecting:
    """Start the first attempt."""
    bell = LoopBell()
    connect = partial(connect_face, to, bell.ring)
    attempt = Attempt(connect, bell.ring)
    attempt.start()
    return Connecting(to, attempt, Reconnector(connect, bell.ring), bell)
