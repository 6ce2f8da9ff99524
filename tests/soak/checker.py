"""Find messages that were lost, doubled or put out of order.

Compares the journals of all users with the history. Pure functions; each violation is a sentence.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import pairwise

from journal import Journal, Seen


def violations(history: list[Seen], journals: dict[str, Journal]) -> Iterator[str]:
    """Return every broken promise. The server and the users may have been killed at any time."""
    yield from _in_history(history)
    yield from _in_numbers(history, journals)
    stored = {message.seq: message for message in history}
    for name, journal in journals.items():
        yield from (f"{name}: {problem}" for problem in _for_speaker(stored, journal))
        yield from (f"{name}: {problem}" for problem in _for_listener(stored, journal))
    yield from _in_directs(journals)
    epochs = set().union(*(journal.epochs for journal in journals.values()))
    if len(epochs) > 1:
        yield f"the numbering has {len(epochs)} epochs"


def _in_history(history: list[Seen]) -> Iterator[str]:
    for before, message in pairwise(history):
        if message.seq <= before.seq:
            yield f"the history has {message.seq} after {before.seq}"
    for nonce, count in Counter(m.nonce for m in history if m.nonce is not None).items():
        if count > 1:
            yield f"the history has {nonce} {count} times"


def _in_numbers(history: list[Seen], journals: dict[str, Journal]) -> Iterator[str]:
    meanings: defaultdict[int, set[object]] = defaultdict(set)
    for message in history:
        meanings[message.seq].add(message)
    for journal in journals.values():
        for message in journal.seen:
            meanings[message.seq].add(message)
        for seq, description in journal.events:
            meanings[seq].add(description)
    for seq, known_as in meanings.items():
        if len(known_as) > 1:
            yield f"number {seq} was given {len(known_as)} times: {str(known_as)[:300]}"


def _for_speaker(stored: dict[int, Seen], journal: Journal) -> Iterator[str]:
    for nonce, seq in journal.acknowledgements.items():
        if seq not in stored:
            yield f"{nonce} was acknowledged as {seq} and is not in the history"
        elif stored[seq].nonce != nonce:
            yield f"{nonce} was acknowledged as {seq}, which is {stored[seq].nonce}"
    for nonce in journal.unanswered:
        yield f"{nonce} was never acknowledged"


def _in_directs(journals: dict[str, Journal]) -> Iterator[str]:
    got = {name: Counter(journal.got) for name, journal in journals.items()}
    sent = {}
    for name, journal in journals.items():
        sent |= {(to, nonce): name for nonce, to in journal.directs.items()}
        for nonce in journal.unsettled:
            yield f"{name}: {nonce} was neither confirmed nor undelivered"
        for nonce in journal.confirmed:
            to = journal.directs[nonce]
            if got[to][nonce] == 0:
                yield f"{name}: {nonce} was confirmed and {to} never got it"
    for name, count in got.items():
        for nonce, times in count.items():
            if times > 1:
                yield f"{name} got {nonce} {times} times"
            if (name, nonce) not in sent:
                yield f"{name} got {nonce}, which nobody sent to it"


def _for_listener(stored: dict[int, Seen], journal: Journal) -> Iterator[str]:
    if journal.first_seq is None or journal.last_seq is None:
        yield "never got in"
        return
    seqs = [message.seq for message in journal.seen]
    for before, seq in pairwise(seqs):
        if seq <= before:
            yield f"saw {seq} after {before}"
    seen = set(seqs)
    for seq in stored:
        if journal.first_seq < seq <= journal.last_seq and seq not in seen:
            yield f"never saw {seq}, which is in the history"
    if stored and journal.last_seq < max(stored):
        yield f"saw nothing after {journal.last_seq}"
    numbers: defaultdict[str, list[int]] = defaultdict(list)
    for message in journal.seen:
        if message.nonce is not None:
            numbers[message.nonce].append(message.seq)
    for nonce, known in numbers.items():
        # A message may be delivered, lost in a crash before its commit and said again. Then only
        # the last one is stored.
        if any(seq in stored for seq in known[:-1]):
            yield f"saw {nonce} as {known}, though it was stored the first time"
