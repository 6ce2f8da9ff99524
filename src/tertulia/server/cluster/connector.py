"""Chooses a nats-server and connects to it. Only the link's thread runs this."""

import functools
import random
import ssl
from collections.abc import Callable, Sequence

from tertulia.server.cluster.addresses import Address
from tertulia.server.cluster.connection import Arrived, Connection
from tertulia.server.cluster.credentials import Credentials
from tertulia.server.cluster.unusable import ClusterUnusable, NotReachable, not_reachable


class Connector:
    """Knows the nats-servers that the operator has named, and the credentials for them."""

    def __init__(
        self,
        addresses: Sequence[Address],
        name: str,
        credentials: Credentials,
        on_arrival: Arrived,
        on_error: Callable[[], None],
    ) -> None:
        """`name` is shown by the servers' monitoring; see `Connection` for the others."""
        self._addresses = addresses
        self._name = name
        self._credentials = credentials
        self._on_arrival = on_arrival
        self._on_error = on_error
        self._trust = functools.cache(ssl.create_default_context)  # Loading it is slow.
        self._last: Address | None = None

    async def connect(self) -> Connection:
        """Try each server once, the one of the last connection last. Raises ClusterUnusable."""
        addresses = random.sample(self._addresses, len(self._addresses))
        addresses.sort(key=lambda address: address == self._last)
        problem: ClusterUnusable | None = None
        unreachable: list[str] = []
        for address in addresses:
            connection = Connection(address, self._trust, self._on_arrival, self._on_error)
            try:
                await connection.open(self._name, self._credentials)
            except NotReachable as error:
                unreachable.append(error.detail)
                continue
            except ClusterUnusable as error:
                problem = problem or error
                continue
            self._last = address
            return connection
        if problem is not None:
            raise problem  # More specific than the others.
        raise not_reachable(", ".join(sorted(unreachable)))
