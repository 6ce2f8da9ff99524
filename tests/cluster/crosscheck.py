"""Find what a cluster must never do, in what its users saw and what its nodes have stored.

Pure functions; each violation is a sentence. The chat must have begun with these observations,
and every user gets all events.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

Event = dict[str, Any]
Row = tuple[int, str, str, str, str | None]  # seq, time, sender, text, nonce
People = dict[str, str]  # statuses by name

# What a node's log must not have: a fault of ours, and the word of a node that has seen one.
FAULTS = ("Traceback", "fault in", "different states", "AssertionError")


@dataclass
class Visit:
    """One connection: the events that came over it, in order. `first` is `welcome.seq`."""

    node: str
    first: int
    epoch: str = ""
    events: list[Event] = field(default_factory=list)
    gaps: set[int] = field(default_factory=set)  # numbers that the server said to leave out


@dataclass
class Observed:
    """What one user has said and seen."""

    name: str
    said: dict[str, str] = field(default_factory=dict)  # texts by nonce
    acknowledged: dict[str, int] = field(default_factory=dict)
    visits: list[Visit] = field(default_factory=list)
    pages: list[Event] = field(default_factory=list)  # messages asked for after a connection
    lists: list[tuple[int, People]] = field(default_factory=list)  # answers to `users`


@dataclass
class Stored:
    """What one node has on its disk, and in its log."""

    rows: list[Row] = field(default_factory=list)
    attendance: list[tuple[Any, ...]] = field(default_factory=list)
    log: str = ""


def violations(
    users: Iterable[Observed], nodes: dict[str, Stored], epochs: int = 1
) -> Iterator[str]:
    """Return every broken promise. `epochs` is how many numberings there may have been."""
    users = list(users)
    yield from _in_files(nodes)
    rows = {row[0]: row for stored in nodes.values() for row in stored.rows}
    for user in users:
        yield from (f"{user.name}: {problem}" for problem in _for_speaker(user, rows))
        yield from (f"{user.name}: {problem}" for problem in _for_listener(user, rows))
    found = {visit.epoch for user in users for visit in user.visits}
    if len(found) > epochs:
        yield f"the numbering has {len(found)} epochs"
    events, problems = _all_events(users)
    yield from problems
    yield from _as_stored(events, rows)
    yield from _in_the_room(events, users)


# --- what the nodes have kept --------------------------------------------------------------------


def _in_files(nodes: dict[str, Stored]) -> Iterator[str]:
    for name, stored in nodes.items():
        nonces = Counter((row[2], row[4]) for row in stored.rows if row[4] is not None)
        for (sender, nonce), count in nonces.items():
            if count > 1:
                yield f"{name} has stored {nonce} of {sender} {count} times"
        for fault in FAULTS:
            if fault in stored.log:
                yield f"the log of {name} has: {_line_with(fault, stored.log)}"
    for (one, first), (other, second) in pairwise(nodes.items()):
        yield from _differences(f"messages of {one} and {other}", first.rows, second.rows)
        attendance = f"attendance of {one} and {other}"
        yield from _differences(attendance, first.attendance, second.attendance)


def _line_with(fault: str, log: str) -> str:
    return next(line for line in log.splitlines() if fault in line)


def _differences(what: str, first: list[Any], second: list[Any]) -> Iterator[str]:
    if first != second:
        odd = sorted(set(first) ^ set(second), key=str)
        yield f"{what}: {len(odd)} rows are not the same in both: {str(odd[:2])[:300]}"


def _as_stored(events: dict[int, Event], rows: dict[int, Row]) -> Iterator[str]:
    for seq, event in events.items():
        if event["type"] == "message" and row_of(event) != rows.get(seq):
            yield f"{seq} was shown as {row_of(event)} and is stored as {rows.get(seq)}"


def row_of(message: Event) -> Row:
    """Return a message as the nodes store it."""
    text, nonce = message["text"], message.get("nonce")
    return message["seq"], message["time"], message["from"], text, nonce


# --- what the users have seen --------------------------------------------------------------------


def _for_speaker(user: Observed, rows: dict[int, Row]) -> Iterator[str]:
    for nonce, text in user.said.items():
        seq = user.acknowledged.get(nonce)
        if seq is None:
            yield f"{nonce} was never acknowledged"
        elif seq not in rows:
            yield f"{nonce} was acknowledged as {seq}, which is not stored"
        elif rows[seq][2:] != (user.name, text, nonce):
            yield f"{nonce} was acknowledged as {seq}, which is stored as {rows[seq][2:]}"


def _for_listener(user: Observed, rows: dict[int, Row]) -> Iterator[str]:
    if not user.visits:
        yield "never got in"
        return
    seen: Counter[int] = Counter()
    for visit in user.visits:
        last = visit.first
        for event in visit.events:
            if event["seq"] <= last:
                yield f"saw {event['seq']} after {last} on {visit.node}"
            missing = set(range(last + 1, event["seq"])) - visit.gaps
            if missing:
                yield f"did not see {min(missing)} before {event['seq']} on {visit.node}"
            last = max(last, event["seq"])
        seen.update(event["seq"] for event in visit.events if event["type"] == "message")
    for message in user.pages:
        seen[message["seq"]] += 1
        if row_of(message) != rows.get(message["seq"]):
            yield f"a page had {row_of(message)}, stored as {rows.get(message['seq'])}"
    left_out = set().union(*(visit.gaps for visit in user.visits))
    wanted = {seq for seq in rows if seq > user.visits[0].first} - left_out
    for before, visit in pairwise(user.visits):
        if visit.epoch != before.epoch:  # then a client discards the numbers that it knew
            last = max((event["seq"] for event in before.events), default=before.first)
            wanted.difference_update(range(last + 1, visit.first + 1))
    if lost := wanted - set(seen):
        yield f"never saw {len(lost)} messages, the first is {min(lost)}"
    if twice := [seq for seq, count in seen.items() if count > 1]:
        yield f"saw {len(twice)} messages twice, the first is {min(twice)}"


def _all_events(users: list[Observed]) -> tuple[dict[int, Event], list[str]]:
    """Return all events by number, and where users saw different ones under the same number."""
    events: dict[int, Event] = {}
    problems = []
    for user in users:
        for visit in user.visits:
            for event in visit.events:
                known = events.setdefault(event["seq"], event)
                if known != event:
                    problems.append(f"number {event['seq']} is {known} and {event}"[:400])
    for before, event in pairwise(sorted(events.values(), key=lambda event: event["seq"])):
        if event["time"] < before["time"]:
            problems.append(f"the time goes back from {before['seq']} to {event['seq']}")
    return dict(sorted(events.items())), problems


# --- who is in the chat --------------------------------------------------------------------------


def _in_the_room(events: dict[int, Event], users: list[Observed]) -> Iterator[str]:
    """Replay who came and went, and compare with what the users were told.

    Where nobody saw a number, it begins again with the next list.
    """
    lists: defaultdict[int, list[tuple[str, People]]] = defaultdict(list)
    for user in users:
        for seq, people in user.lists:
            lists[seq].append((user.name, people))
    people: People | None = {} if 1 in events else None
    last = 0
    for seq in sorted({*events, *lists}):
        if seq in events and seq != last + 1:
            people = None
        if seq in events:
            last = seq
            yield from _apply(people, events[seq])
        for name, told in lists.get(seq, ()):
            if people is None:
                people, last = dict(told), seq
            elif seq == last and told != people:
                odd = {*told.items()} ^ {*people.items()}
                yield f"{name} was told other users at {seq}: {sorted(odd)[:6]}"


def _apply(people: People | None, event: Event) -> Iterator[str]:
    if people is None:
        return
    name, seq = event.get("name"), event["seq"]
    match event["type"]:
        case "joined":
            if name in people:
                yield f"{name} joined at {seq} and was there already"
            people[name] = event["status"]
        case "left":
            if people.pop(name, None) is None:
                yield f"{name} left at {seq} and was not there"
        case "presence":
            if name not in people:
                yield f"{name} is {event['status']} at {seq} and was not there"
            people[name] = event["status"]
        case "message":
            if event["from"] not in people:
                yield f"{event['from']} said something at {seq} and was not there"
