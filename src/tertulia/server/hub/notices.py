"""Publishes the messages that programs post to hooks; they have no session.

It is a part of the Hub, which passes in its lock and its parts. It never waits. Any thread may
call.
"""

import threading

from msgspec import UNSET

from tertulia.protocol.messages import Error, Ok
from tertulia.protocol.texts import check_text
from tertulia.server import refusals
from tertulia.server.hub.hooks import hash_of
from tertulia.server.hub.journal import Journal
from tertulia.server.hub.keeper import Keeper
from tertulia.server.hub.room import Room
from tertulia.server.hub.session import Owner, Receipt
from tertulia.server.hub.wait import Wait


class Notices:
    """The verbs of the Hub about texts from hooks."""

    def __init__(
        self, lock: threading.Lock, room: Room, journal: Journal, keeper: Keeper | None
    ) -> None:
        self._lock = lock
        self._room = room
        self._journal = journal
        self._keeper = keeper

    def knows(self, secret: str) -> bool:
        """Return whether there is a hook with this secret.

        The lookup uses its hash, so the time that it takes reveals nothing about the secret.
        """
        with self._lock:
            return self._room.hooks.find(hash_of(secret)) is not None

    def say(self, secret: str, text: str, owner: Owner) -> Ok | Wait | Error:
        """Publish a text in the general chat under the hook's name.

        A hush does not apply to hooks, which operators have made. With Wait.FOR_DISK the keeper
        acknowledges it to `owner`; without space in its queue nothing is published.
        """
        problem = check_text(text)
        if problem is not None:
            return refusals.notice_refused(problem)
        return self._post(hash_of(secret), text, owner)

    def _post(self, secret_hash: str, text: str, owner: Owner) -> Ok | Wait | Error:
        keeper = self._keeper
        with self._lock:
            hook = self._room.hooks.find(secret_hash)
            if hook is None:
                return refusals.hook_unknown()
            if keeper is None:
                message = self._room.post(hook, text, self._journal.stamp())
                self._room.pop_changes()
                return Ok(seq=message.seq)
            if not keeper.reserve_space():
                return refusals.notices_busy()
            message = self._room.post(hook, text, self._journal.stamp())
            # Before the message itself, so that it is never stored without its mark.
            keeper.keep(self._room.pop_changes())
            keeper.write(message, Receipt(owner, 0, UNSET, message.seq))
            return Wait.FOR_DISK
