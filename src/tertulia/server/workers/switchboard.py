"""Which mailbox reaches a session of this node."""

import itertools
from collections import defaultdict

from tertulia.server.hub.directs import Reply
from tertulia.server.hub.session import Route
from tertulia.server.workers.mail import Replies
from tertulia.server.workers.mailbox import Mailbox

THIS_NODE = ""  # as long as there is only one


class Switchboard:
    """The routes that are in use. Any thread may call; each operation is one step of a dict."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._mailboxes: dict[int, Mailbox] = {}

    def connect(self, mailbox: Mailbox) -> Route:
        """Return a new route that leads to a worker."""
        number = next(self._numbers)
        self._mailboxes[number] = mailbox
        return Route(THIS_NODE, number)

    def disconnect(self, route: Route) -> None:
        """Forget a route whose session has ended, or never began."""
        del self._mailboxes[route.session]

    def mailbox_of(self, route: Route) -> Mailbox | None:
        """Return the mailbox at the end of a route; None if its session has ended."""
        return self._mailboxes.get(route.session)

    def send(self, replies: list[Reply]) -> None:
        """Hand answers that have come late to the workers of their sessions.

        One for a session that has ended is dropped.
        """
        rows: defaultdict[Mailbox, list[Reply]] = defaultdict(list)
        for reply in replies:
            mailbox = self.mailbox_of(reply.route)
            if mailbox is not None:
                rows[mailbox].append(reply)
        for mailbox, of_mailbox in rows.items():
            mailbox.post(Replies(of_mailbox))
