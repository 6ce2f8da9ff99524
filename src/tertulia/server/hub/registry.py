"""Who is here: by name and by address. Used under the Hub's lock alone."""

from collections.abc import Iterator

from tertulia.protocol.names import parse_name
from tertulia.server.hub.session import Session


class Registry:
    """The list of connected users."""

    def __init__(self, *, shared_addresses: bool) -> None:
        self._shared_addresses = shared_addresses
        self._by_name: dict[str, Session] = {}
        self._by_shown_name: dict[str, Session] = {}
        self._by_address: dict[str, Session] = {}

    def __len__(self) -> int:
        return len(self._by_name)

    def __iter__(self) -> Iterator[Session]:
        return iter(self._by_name.values())

    def with_name(self, key: str) -> Session | None:
        """Find who has a name."""
        return self._by_name.get(key)

    def called(self, spelling: str) -> Session | None:
        """Find who has a name, in whatever spelling; nobody for what cannot be one."""
        session = self._by_shown_name.get(spelling)
        if session is None and (name := parse_name(spelling)) is not None:
            session = self._by_name.get(name.key)
        return session

    def at_address(self, address: str) -> Session | None:
        """Find who keeps others from an address: nobody, if addresses are shared."""
        return self._by_address.get(address)

    def take(self, session: Session) -> None:
        """Enter a session whose name and address are free."""
        session.is_here = True
        self._by_name[session.name.key] = session
        self._by_shown_name[session.name.shown] = session
        if not self._shared_addresses:
            self._by_address[session.address] = session

    def free(self, session: Session) -> None:
        """Take a session off the list."""
        session.is_here = False
        del self._by_name[session.name.key]
        del self._by_shown_name[session.name.shown]
        if not self._shared_addresses:
            del self._by_address[session.address]
