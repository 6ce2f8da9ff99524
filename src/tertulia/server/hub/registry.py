"""The connected users, by name and by address. Used under the Hub's lock only."""

from collections.abc import Iterable, Iterator

from tertulia.protocol.names import parse_name
from tertulia.protocol.networks import Network, parse_network, shown_network
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

    def with_key(self, key: str) -> Session | None:
        """Return the session whose name has this key."""
        return self._by_name.get(key)

    def find(self, spelling: str) -> Session | None:
        """Return the session for any spelling of its name."""
        session = self._by_shown_name.get(spelling)
        if session is None and (name := parse_name(spelling)) is not None:
            session = self._by_name.get(name.key)
        return session

    def at_address(self, address: str) -> Session | None:
        """Return the session that occupies an address; None if users may share addresses."""
        return self._by_address.get(address)

    def add(self, session: Session) -> None:
        """Add a session whose name and address are free."""
        session.is_here = True
        self._by_name[session.name.key] = session
        self._by_shown_name[session.name.shown] = session
        if not self._shared_addresses:
            self._by_address[session.address] = session

    def remove(self, session: Session) -> None:
        """Remove a session; its name and address are free at once."""
        session.is_here = False
        del self._by_name[session.name.key]
        del self._by_shown_name[session.name.shown]
        if not self._shared_addresses:
            del self._by_address[session.address]


def sessions_at(network: Network, sessions: Iterable[Session]) -> Iterator[Session]:
    """Yield the sessions that come from an address or a network."""
    if network.prefixlen == network.max_prefixlen:
        address = shown_network(network)
        yield from (one for one in sessions if one.address.partition("%")[0] == address)
        return
    first, last = int(network.network_address), int(network.broadcast_address)
    for session in sessions:
        own = parse_network(session.address)
        is_alike = own is not None and own.version == network.version
        if own is not None and is_alike and first <= int(own.network_address) <= last:
            yield session
