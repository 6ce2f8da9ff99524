"""Bans and mutes in force, found by the name or the address that they apply to.

Pure and deterministic: the time is a parameter. The cost of a search does not grow with their
number.
"""

import heapq
from collections import defaultdict
from collections.abc import Iterator
from typing import Generic, TypeVar

from tertulia.protocol.names import parse_name
from tertulia.protocol.networks import Network, parse_network
from tertulia.server.hub.records import Ban, Mute

_Penalty = TypeVar("_Penalty", Ban, Mute)
_MAX_OUTDATED = 64  # beside as many as there are penalties; then the heap is rebuilt
_FOR_EVER = "~"  # sorts after every time


class Penalties(Generic[_Penalty]):
    """Penalties by their keys. A new one replaces one with the same key."""

    def __init__(self) -> None:
        self.by_key: dict[str, _Penalty] = {}
        self._by_name: dict[str, _Penalty] = {}
        # By version and prefix length of the network (there are few of these), then by its number.
        self._by_network: dict[tuple[int, int], dict[int, dict[str, _Penalty]]] = {}
        self._ends: list[tuple[str, str]] = []  # a heap of times and keys, some of them outdated

    def __len__(self) -> int:
        return len(self.by_key)

    def __iter__(self) -> Iterator[_Penalty]:
        return iter(self.by_key.values())

    def get(self, key: str) -> _Penalty | None:
        """Return the penalty with this key."""
        return self.by_key.get(key)

    def put(self, penalty: _Penalty) -> None:
        """Add a penalty."""
        self.remove(penalty.key)
        self.by_key[penalty.key] = penalty
        name = _name_key(penalty)
        if name is not None:
            self._by_name[name] = penalty
        network = None if penalty.address is None else parse_network(penalty.address)
        if network is not None:
            numbers = self._by_network.setdefault(_kind(network), defaultdict(dict))
            numbers[int(network.network_address)][penalty.key] = penalty
        if penalty.until is not None:
            heapq.heappush(self._ends, (penalty.until, penalty.key))
            if len(self._ends) > 2 * len(self.by_key) + _MAX_OUTDATED:
                self._ends = [(one.until, one.key) for one in self if one.until is not None]
                heapq.heapify(self._ends)

    def remove(self, key: str) -> bool:
        """Remove a penalty; return whether there was one."""
        penalty = self.by_key.pop(key, None)
        if penalty is None:
            return False
        name = _name_key(penalty)
        if name is not None:
            del self._by_name[name]
        network = None if penalty.address is None else parse_network(penalty.address)
        if network is not None:
            kind, number = _kind(network), int(network.network_address)
            rows = self._by_network[kind][number]
            del rows[key]
            if not rows:
                del self._by_network[kind][number]
                if not self._by_network[kind]:
                    del self._by_network[kind]
        return True

    def fitting(self, name_key: str, address: str) -> list[_Penalty]:
        """Return the penalties for a user with this name at this address."""
        found = {}
        by_name = self._by_name.get(name_key)
        if by_name is not None:
            found[by_name.key] = by_name
        network = parse_network(address) if self._by_network else None
        if network is not None:
            number = int(network.network_address)
            for (version, length), numbers in self._by_network.items():
                if version == network.version:
                    host_bits = network.max_prefixlen - length
                    found |= numbers.get(number >> host_bits << host_bits, {})
        return list(found.values())

    def longest(self, name_key: str, address: str) -> _Penalty | None:
        """Return the penalty that ends last of those for a user."""
        found = self.fitting(name_key, address)
        return max(found, key=lambda penalty: penalty.until or _FOR_EVER, default=None)

    def expire(self, time: str) -> list[_Penalty]:
        """Remove and return the penalties that are over."""
        over = []
        while self._ends and self._ends[0][0] <= time:
            until, key = heapq.heappop(self._ends)
            penalty = self.by_key.get(key)
            if penalty is not None and penalty.until == until:
                self.remove(key)
                over.append(penalty)
        return over


def _name_key(penalty: Ban | Mute) -> str | None:
    name = None if penalty.name is None else parse_name(penalty.name)
    return None if name is None else name.key


def _kind(network: Network) -> tuple[int, int]:
    return network.version, network.prefixlen
