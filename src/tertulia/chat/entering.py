"""Connects a user to the chat, also again, and can wait until a name, address or place is free.

Each call connects and may wait for a long time, so a face that must not wait calls it in another
thread.
"""

import random
import time
from collections.abc import Callable, Iterator

from msgspec.structs import replace

from tertulia.chat.credentials import Credentials
from tertulia.chat.destination import Destination
from tertulia.chat.trust import Trust
from tertulia.chat.whereabouts import Whereabouts
from tertulia.client.activity import NEWCOMER, Resumption
from tertulia.client.addresses import Address
from tertulia.client.client import Client
from tertulia.client.errors import RegistrationRefused, wait_before_retry
from tertulia.client.nodes import Nodes, connect_to_one
from tertulia.client.reconnect import Reconnector
from tertulia.protocol.messages import ErrorCode
from tertulia.protocol.names import MAX_NAME_CHARS

RETRY_AFTER_S = 0.5  # the approximate delay of each attempt, until another user leaves
# The most names to try: ci, ci-2, ..., ci-50; a server accepts 100 attempts at once.
MAX_FREE_NAMES = 50
_TAKEN = (ErrorCode.NAME_TAKEN, ErrorCode.ADDRESS_TAKEN, ErrorCode.SERVER_FULL)


def connect_face(
    to: Destination,
    notify: Callable[[], None],
    credentials: Credentials,
    resumption: Resumption = NEWCOMER,
    trust: Trust | None = None,
    nodes: Nodes | None = None,
) -> Client:
    """Connect and register with a face's options; see Client.connect for `notify` and the errors.

    `nodes` are the servers of the chat; the first one that accepts the user is used.
    """
    trust = trust or Trust(to)
    code = credentials.readable_code()

    def connect_to(address: Address, within_s: float | None) -> Client:
        expected = trust.expect(address)
        client = Client.connect(
            *address, to.name,
            source=to.source,
            code=code, key=credentials.key,
            tls=expected.tls, pin=expected.pin,
            token=resumption.token, status=resumption.status, idle=resumption.idle_s,
            connect_timeout=within_s, everything=True, notify=notify,
        )  # fmt: skip
        trust.note_certificate(address, client.fingerprint)
        return client

    try:
        client = connect_to_one(nodes or Nodes(to.addresses), connect_to)
    except RegistrationRefused as refusal:
        credentials.note_refusal(code, refusal.error)
        raise
    credentials.note_accepted(code)
    return client


class Entrance:
    """The first connection of a user, and later ones with the same name."""

    def __init__(
        self,
        to: Destination,
        notify: Callable[[], None],
        credentials: Credentials | None = None,
        trust: Trust | None = None,
        *,
        wait_s: float = 0.0,
        takes_free_name: bool = False,
    ) -> None:
        """Prepare to connect; wait at most `wait_s` for something that another user has."""
        self.credentials = credentials or Credentials(to)
        self.trust = trust or Trust(to)
        self.to = to  # with the registered name once `enter` has returned
        self._nodes = Nodes(to.addresses)
        self.whereabouts = Whereabouts(to, self._nodes, self.trust.introduction)
        self._notify = notify
        self._wait_s = wait_s
        self._names = list(_names(to.name)) if takes_free_name else [to.name]

    def enter(self) -> Client:
        """Connect and register. Raises NoConnection, CertificateRefused and RegistrationRefused."""
        give_up_at = time.monotonic() + self._wait_s
        while True:
            try:
                return self._try_names()
            except RegistrationRefused as refusal:
                wait_s = min(_delay_s(refusal), give_up_at - time.monotonic())
                if wait_s <= 0:
                    raise
                time.sleep(wait_s)

    def come_back(self, resumption: Resumption) -> Client:
        """Connect and register again; raises the same errors as `enter`."""
        return connect_face(
            self.to, self._notify, self.credentials, resumption, self.trust, self._nodes
        )

    def reconnector(self) -> Reconnector:
        """Return the maker of later connections, with the `notify` of this entrance."""
        return Reconnector(self.come_back, self._notify, nodes=self._nodes)

    def _try_names(self) -> Client:
        first_refusal: RegistrationRefused | None = None
        for name in self._names:
            to = replace(self.to, name=name)
            try:
                client = connect_face(
                    to, self._notify, self.credentials, trust=self.trust, nodes=self._nodes
                )
            except RegistrationRefused as refusal:
                first_refusal = first_refusal or refusal
                if refusal.code not in (ErrorCode.NAME_TAKEN, ErrorCode.NAME_HELD):
                    raise
            else:
                self.to = to
                return client
        assert first_refusal is not None
        raise first_refusal


def _names(name: str) -> Iterator[str]:
    yield name
    for number in range(2, MAX_FREE_NAMES + 1):
        yield f"{name[: MAX_NAME_CHARS - len(str(number)) - 1]}-{number}"


def _delay_s(refusal: RegistrationRefused) -> float:
    """Return how many seconds to wait after a refusal; 0 if waiting does not help."""
    if refusal.code == ErrorCode.RATE_LIMITED:
        return wait_before_retry(refusal.error)
    return RETRY_AFTER_S * random.uniform(0.5, 1.5) if refusal.code in _TAKEN else 0.0
