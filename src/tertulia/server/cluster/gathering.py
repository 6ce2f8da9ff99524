"""The direct messages of a session that was taken over from another node. Pure.

They come from their senders' nodes; the node that served the session before sends their order and
their receipts. Used under the Hub's lock only.
"""

import time

from tertulia.server.cluster.letters import HandedOver
from tertulia.server.hub.session import Session
from tertulia.server.hub.unconfirmed import Queue, Unconfirmed


class Gathering:
    """The messages that have come for one session so far, and how long to wait for more."""

    def __init__(self, session: Session, until: float, *, confirms: bool) -> None:
        self.session = session
        self.until = until
        self._queue = Queue(confirms=confirms)
        self._rows: list[tuple[int, Unconfirmed]] = []
        self._order: HandedOver | None = None

    def add(self, entry: Unconfirmed, receipt: int = 0) -> None:
        """Add a message, with the receipt that it had in its receiver's session; 0: unknown."""
        self._rows.append((receipt, entry))

    def put_in_order(self, order: HandedOver, until: float) -> None:
        """Note the order of the messages, and until when to wait for them."""
        self._order, self.until = order, until

    def finish(self, node: str) -> Queue:
        """Return all messages as a queue; `node` is this node's name.

        A client drops a message whose receipt it knows already. So a new receipt is higher than all
        that were ever given out, and much higher if the last one is not known.
        """
        queue, order = self._queue, self._order
        receipts = {} if order is None else {(at, number): had for had, at, number in order.rows}
        rows = []
        for receipt, entry in self._rows:
            places = [(origin.node, origin.number) for origin in entry.origins]
            places.append((node, entry.own_number))
            rows.append((max([receipt, *(receipts.get(place, 0) for place in places)]), entry))
        rows.sort(key=lambda row: row[0])
        for receipt, entry in rows:
            if receipt:
                queue.put(entry, max(receipt, queue.last_receipt + 1))
        last = time.time_ns() // 1_000 if order is None else order.last_receipt
        queue.last_receipt = max(queue.last_receipt, last)
        for receipt, entry in rows:
            if not receipt:
                queue.put(entry, queue.last_receipt + 1)
        return queue
