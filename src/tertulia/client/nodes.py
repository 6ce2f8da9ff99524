"""The servers of one chat as a client knows them, and the choice of the next one after a loss.

Several servers, called nodes, can be one chat. The person names some of them, and each `welcome`
names all of them. After a loss the client immediately tries each node that it has not tried yet,
and waits only after that. Only one attempt to connect at a time uses this, each in its own thread.
Any thread may read `current` and `passed_over`.
"""

import random
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from msgspec import UNSET, UnsetType

from tertulia.client.addresses import Address, parse_address
from tertulia.client.errors import (
    CertificateRefused,
    NoConnection,
    NoNode,
    Refusal,
    RegistrationRefused,
)
from tertulia.protocol.messages import ErrorCode, Welcome

SILENT_S = 2.0  # seconds for a node to answer while another one can still be tried
MAX_NODES = 100  # the most nodes accepted from a `welcome`

# These errors are about this node and not about the user: another node may accept the user.
_NO_ROOM = (ErrorCode.SERVER_FULL, ErrorCode.UNAVAILABLE, ErrorCode.REGISTER_TIMEOUT)
_OF_ONE_NODE = (*_NO_ROOM, ErrorCode.TLS_REQUIRED)


class _HasWelcome(Protocol):
    welcome: Welcome


_Client = TypeVar("_Client", bound=_HasWelcome)


class Nodes:
    """The nodes of one chat: the known ones, the last one tried, and the next one."""

    def __init__(self, given: Sequence[Address]) -> None:
        """Begin with the nodes that the person named, in the order in which to try them."""
        self.current: Address | None = None  # the node of the last connection
        # The nodes that were tried before the current one, each with the error.
        self.passed_over: tuple[tuple[Address, Exception], ...] = ()
        self._given = tuple(given)
        self._told: tuple[Address, ...] = ()  # the addresses in the chat's last list
        # The number of the node to which each address belongs.
        self._owners: dict[Address, int] = {}
        # The addresses of earlier lists: a node that was down at the time of the last list may run
        # again.
        self._told_before: tuple[Address, ...] = ()
        # If a node was reached through an address that is not in its own list, that address, by the
        # first one in the list. A router or a tunnel may be the only way to that node.
        self._reached: dict[Address, Address] = {}
        self._tried: set[Address] = set()
        # The current node, as one of the addresses in its own list.
        self._place: Address | None = None

    @property
    def known(self) -> tuple[Address, ...]:
        """Return all known nodes, each once; those that the chat itself has named come first."""
        told = [self._reached.get(address, address) for address in self._told]
        here = {self._reached.get(address, address) for address in self._told} | set(self._told)
        others = (*self._given, *self._told_before)
        return tuple(dict.fromkeys((*told, *(each for each in others if each not in here))))

    @property
    def are_several(self) -> bool:
        """Return whether the chat has more than one node, as far as is known."""
        return len(self.known) > 1

    def lose_current(self, *, was_steady: bool) -> bool:
        """Note that the current node is lost; return whether there is one that was not tried yet.

        If the connection `was_steady`, a new round begins. Otherwise the round continues, so that
        nodes that accept the user and then close are not tried for ever without a pause.
        """
        if was_steady:
            self._tried.clear()
        if self.current is not None:
            self._tried.add(self.current)
        return not self._tried.issuperset(self.known)

    def next_round(self) -> list[Address]:
        """Return the nodes to try now: those not tried yet, or all of them if none is left.

        One address of each node comes before the second address of any node. Addresses in the
        network through which the last node was reached come first, because often only one address
        of a node can be reached from here. Otherwise the order is random, so that the users of a
        lost node are spread over all the others.
        """
        if self._tried.issuperset(self.known):
            self._tried.clear()
        told = [address for address in self._told if not self._is_tried(address)]
        random.shuffle(told)
        told.sort(key=lambda address: distance(self._place, address))
        turns = Counter(owner for each, owner in self._owners.items() if self._is_tried(each))
        turn: dict[Address, int] = {}
        for address in told:
            owner = self._owners[address]
            turn[address] = turns[owner]
            turns[owner] += 1
        told.sort(key=turn.__getitem__)
        ordered = [self._reached.get(address, address) for address in told]
        return [each for each in dict.fromkeys([*ordered, *self.known]) if each not in self._tried]

    def _is_tried(self, address: Address) -> bool:
        return not self._tried.isdisjoint((address, self._reached.get(address, address)))

    def note_attempt(self, address: Address) -> None:
        """Note that a node is being tried."""
        self._tried.add(address)

    def end_round(self) -> None:
        """Note that the chat has answered through some node: all nodes can be tried again."""
        self._tried.clear()

    def enter(
        self,
        address: Address,
        told: Sequence[str] | UnsetType,
        per_node: Sequence[int] | UnsetType = UNSET,
    ) -> None:
        """Note the node that accepted the user, and the nodes that its `welcome` names."""
        self.current = address
        self.learn(() if told is UNSET else told, per_node)
        self._place = address
        if self._told and address not in self._told:
            self._place = self._told[0]
            self._reached[self._place] = address

    def learn(self, told: Sequence[str], per_node: Sequence[int] | UnsetType = UNSET) -> None:
        """Note the nodes that the chat has named, and the number of addresses of each one."""
        before = (*self._told, *self._told_before)
        counts = [1] * len(told)
        if per_node is not UNSET and min(per_node, default=0) > 0 and sum(per_node) == len(told):
            counts = list(per_node)
        owners = [node for node, count in enumerate(counts) for _ in range(count)]
        found = _valid(told[:MAX_NODES])
        self._owners = {each: owner for each, owner in zip(found, owners, strict=False) if each}
        self._told = tuple(self._owners)
        before = tuple(each for each in dict.fromkeys(before) if each not in self._told)
        self._told_before = before[:MAX_NODES]


def distance(here: Address | None, there: Address) -> int:
    """Return 0 if both addresses seem to be in the same network, otherwise 1 or 2."""
    import ipaddress  # slow to import, and not needed where a chat has one server

    try:
        one = ipaddress.ip_address("" if here is None else here.host.partition("%")[0])
        other = ipaddress.ip_address(there.host.partition("%")[0])
    except ValueError:  # one of the two is a host name
        return 1
    if one.version != other.version:
        return 2
    host_bits = 8 if one.version == 4 else 64  # in nearly all local networks
    return 0 if int(one) >> host_bits == int(other) >> host_bits else 1


def _valid(texts: Sequence[str]) -> list[Address | None]:
    """Return the addresses that a server has named, with None in the place of invalid ones."""
    found: list[Address | None] = []
    for text in texts:
        try:
            found.append(parse_address(text))
        except ValueError:  # perhaps from a newer server; the other nodes are enough
            found.append(None)
    return found


def connect_to_one(nodes: Nodes, connect: Callable[[Address, float | None], _Client]) -> _Client:
    """Try one node after another; return the connection to the first that accepts the user.

    `connect` is called with an address and the seconds within which it has to answer; None means
    the usual time. An error of `connect` about the user is raised at once. If no node can be used,
    NoNode is raised, or the error of the only node. CertificateRefused and RegistrationRefused are
    then raised only if waiting does not help, or if a node is full.
    """
    failures: list[tuple[Address, Exception]] = []
    round_ = nodes.next_round()
    for address in round_:
        nodes.note_attempt(address)
        is_last = address == round_[-1]
        try:
            client = connect(address, None if is_last else SILENT_S)
        except (NoConnection, CertificateRefused, OSError) as failure:
            if isinstance(failure, CertificateRefused):
                failure.address = address
            failures.append((address, failure))
        except RegistrationRefused as refusal:
            if refusal.code not in _OF_ONE_NODE:
                nodes.end_round()
                raise
            failures.append((address, refusal))
        else:
            nodes.enter(address, client.welcome.nodes, client.welcome.per_node)
            nodes.passed_over = tuple(failures)
            return client
    raise _reason(failures, is_whole=len(round_) == len(nodes.known))


def _reason(failures: list[tuple[Address, Exception]], *, is_whole: bool) -> Exception:
    """Return the error for when no node is usable; `is_whole` if all known nodes were tried."""
    if len(failures) == 1 and is_whole:
        return failures[0][1]
    for _address, failure in failures:
        if isinstance(failure, RegistrationRefused) and failure.code in _NO_ROOM:
            return failure
    refused = [each for _, each in failures if isinstance(each, Refusal)]
    if is_whole and len(refused) == len(failures):
        return refused[0]
    return NoNode(failures)
