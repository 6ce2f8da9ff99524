"""The child's end of the connection with its parent (`--supervise`).

The main thread calls everything; after `listen`, a separate thread waits for the parent's messages.
"""

import socket
import threading
from collections.abc import Callable, Mapping

from tertulia.server.supervision.channel import Channel, Message, inherited_channel
from tertulia.version import __version__


class ParentGone(Exception):
    """The parent has ended before this process could serve."""


class ParentLink:
    """What the parent has handed over, and messages to it. Raises ParentGone."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        hello = self._receive()
        self.sockets: Mapping[str, socket.socket] = hello.sockets  # the parent's, by role
        self.kept: Mapping[str, str] = hello.fields["kept"]  # values that an earlier child has kept
        self.is_first: bool = hello.fields["is_first"]  # no server was announced yet
        self.beat_s: float = hello.fields["beat_s"]  # at most between two `tell_alive`
        self.is_watched: bool = hello.fields["is_watched"]  # by systemd's watchdog
        self.pid: int = hello.fields["pid"]
        self.started_at: float = hello.fields["started_at"]  # seconds since the epoch
        self.waits: bool = hello.fields["waits"]  # whether an earlier child still serves
        self._count(hello)

    def _count(self, message: Message) -> None:
        self.restarts: int = message.fields["restarts"]  # children that died and were replaced
        self.upgrades: int = message.fields["upgrades"]

    def _receive(self) -> Message:
        message = self._channel.receive()
        if message is None:
            raise ParentGone
        return message

    def keep(self, sockets: Mapping[str, socket.socket], **values: str) -> None:
        """Give the parent sockets and values to keep for the next child."""
        if sockets or values:
            self._channel.send("keep", sockets, **values)

    def tell_log_level(self, lowest: int) -> None:
        """Tell the parent the lowest level of log lines, which applies to it, too."""
        self._channel.send("log_level", lowest=lowest)

    def wait_for_turn(self) -> None:
        """Report readiness, and wait until no other child has the history."""
        self._channel.send("ready")
        if self.waits:
            self._count(self._receive())

    def tell_failed(self) -> None:
        """Report that this process cannot start, and that another attempt would fail, too."""
        self._channel.send("failed")

    def tell_serving(self, announcement: str) -> None:
        """Report that this process serves; the parent prints the first child's announcement."""
        self._channel.send("serving", announcement=announcement, version=__version__)

    def tell_alive(self, users: int, problem: str) -> None:
        """Give a sign of life, with the present problem, if any."""
        self._channel.send("alive", users=users, problem=problem)

    def close(self) -> None:
        """Close this end, and the sockets that were not taken over. Idempotent."""
        for sock in self.sockets.values():
            sock.close()
        self._channel.close()

    def listen(self, on_message: Callable[[str], None]) -> None:
        """Call back, on a thread, for each message of the parent, and with `gone` at its end."""

        def wait_for_messages() -> None:
            while (message := self._channel.receive()) is not None:
                on_message(message.kind)
            on_message("gone")

        threading.Thread(target=wait_for_messages, name="parent", daemon=True).start()


def link_to_parent() -> ParentLink | None:
    """Return the link if a parent has started this process. Raises ParentGone."""
    channel = inherited_channel()
    return None if channel is None else ParentLink(channel)
