"""Finds the mailbox through which a session of this node is reached."""

import itertools
import secrets
from collections import defaultdict
from typing import Protocol

from tertulia.server.hub.directs import Reply
from tertulia.server.hub.session import Route
from tertulia.server.workers.mail import Challenge, Mail, Replies
from tertulia.server.workers.mailbox import Mailbox


class OtherNodes(Protocol):
    """The way to sessions of other nodes. Any thread may call."""

    def challenge(self, node: str, challenge: Challenge, /) -> bool:
        """Challenge a session of another node; return False if that node cannot be reached."""

    def send_replies(self, node: str, replies: list[Reply], /) -> None:
        """Send late answers to sessions of another node."""


class Switchboard:
    """The routes that are in use. Any thread may call; each operation is one step of a dict."""

    def __init__(self, node: str = "") -> None:
        self._node = node
        self.other_nodes: OtherNodes | None = None  # set on one of several machines
        # On several machines, another node may still use a number from an earlier run of this node.
        # So numbers begin at random: an old one must not mean another session.
        self._numbers = itertools.count(secrets.randbits(32) << 20 if node else 1)
        self._mailboxes: dict[int, Mailbox] = {}

    def connect(self, mailbox: Mailbox) -> Route:
        """Return a new route that leads to a worker."""
        number = next(self._numbers)
        self._mailboxes[number] = mailbox
        return Route(self._node, number)

    def disconnect(self, number: int) -> None:
        """Forget a route of this node, whose session has ended or never began."""
        del self._mailboxes[number]

    def mailbox_of(self, route: Route) -> Mailbox | None:
        """Return the mailbox at the end of a route.

        None if its session has ended, or another node serves it.
        """
        return self._mailboxes.get(route.number) if route.node == self._node else None

    def post(self, route: Route, mail: Mail) -> bool:
        """Post mail to the worker of a session; False if it has ended, or is of another node."""
        mailbox = self._mailboxes.get(route.number) if route.node == self._node else None
        return mailbox is not None and mailbox.post(mail)

    def challenge(self, route: Route, challenge: Challenge) -> bool:
        """Challenge a session, here or on another node; return False if it cannot be reached."""
        if route.node == self._node:
            return self.post(route, challenge)
        return self.other_nodes is not None and self.other_nodes.challenge(route.node, challenge)

    def send(self, replies: list[Reply]) -> None:
        """Hand late answers to the workers of their sessions.

        An answer for a session that has ended is dropped.
        """
        rows: defaultdict[Mailbox, list[Reply]] = defaultdict(list)
        elsewhere: defaultdict[str, list[Reply]] = defaultdict(list)
        for reply in replies:
            mailbox = self.mailbox_of(reply.route)
            if mailbox is not None:
                rows[mailbox].append(reply)
            elif reply.route.node != self._node:
                elsewhere[reply.route.node].append(reply)
        for mailbox, of_mailbox in rows.items():
            mailbox.post(Replies(of_mailbox))
        if self.other_nodes is not None:
            for node, of_node in elsewhere.items():
                self.other_nodes.send_replies(node, of_node)
