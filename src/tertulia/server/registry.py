"""Who is here: by name and by address. Used under the Hub's lock alone."""

from collections.abc import Iterator

from tertulia.server.session import Session


class Registry:
    """The list of connected users."""

    def __init__(self, *, shared_addresses: bool) -> None:
        self._shared_addresses = shared_addresses
        self._by_name: dict[str, Session] = {}
        self._by_address: dict[str, Session] = {}

    def __len__(self) -> int:
        return len(self._by_name)

    def __iter__(self) -> Iterator[Session]:
        return iter(self._by_name.values())

    def __contains__(self, session: Session) -> bool:
        return self._by_name.get(session.name.key) is session

    def with_name(self, key: str) -> Session | None:
        """Find who has a name."""
        return self._by_name.get(key)

    def at_address(self, address: str) -> Session | None:
        """Find who keeps others from an address: nobody, if addresses are shared."""
        return self._by_address.get(address)

    def take(self, session: Session) -> None:
        """Enter a session whose name and address are free."""
        self._by_name[session.name.key] = session
        if not self._shared_addresses:
            self._by_address[session.address] = session

    def free(self, session: Session) -> None:
        """Take a session off the list."""
        del self._by_name[session.name.key]
        if not self._shared_addresses:
            del self._by_address[session.address]
