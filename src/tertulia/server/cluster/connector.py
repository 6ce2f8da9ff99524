"""Chooses the nats-server to connect to, and connects. Link's thread only."""

import functools
import random
import ssl
from collections.abc import Callable, Sequence

from tertulia.server.cluster.addresses import Address
from tertulia.server.cluster.connection import Arrived, Connection
from tertulia.server.cluster.credentials import Credentials
from tertulia.server.cluster.unusable import ClusterUnusable, NotReachable, not_reachable


class Connector:
    """Knows all nats-servers that the operator has named, and what to show to them."""

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
        self._trust = functools.cache(ssl.create_default_context)  # Its authorities are many.
        self._last: Address | None = None

    async def connect(self) -> Connection:
        """Try each server once, that of the last connection at the end. Raises ClusterUnusable."""
        addresses = random.sample(self._addresses, len(self._addresses))
        addresses.sort(key=lambda address: address == self._last)
        problems: list[ClusterUnusable] = []
        for address in addresses:
            connection = Connection(address, self._trust, self._on_arrival, self._on_error)
            try:
                await connection.open(self._name, self._credentials)
            except ClusterUnusable as error:
                problems.append(error)
                continue
            self._last = address
            return connection
        for problem in problems:
            if not isinstance(problem, NotReachable):
                raise problem  # It says more than the others.
        details = [problem.detail for problem in problems if isinstance(problem, NotReachable)]
        raise not_reachable(", ".join(sorted(details)))
