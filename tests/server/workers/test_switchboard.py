"""Routes: each leads to one mailbox until its session has ended."""

from typing import Any

import pytest

from tertulia.protocol.messages import Ok
from tertulia.server.hub.directs import Reply
from tertulia.server.hub.session import Route
from tertulia.server.workers.mail import Evict, Replies
from tertulia.server.workers.switchboard import Switchboard


def test_every_route_is_new_and_leads_to_its_mailbox():
    switchboard = Switchboard()
    first: Any = object()
    second: Any = object()
    routes = [switchboard.connect(mailbox) for mailbox in (first, second, first)]
    assert len(set(routes)) == 3
    assert [switchboard.mailbox_of(route) for route in routes] == [first, second, first]


def test_a_route_that_was_disconnected_leads_nowhere_and_is_not_given_again():
    switchboard = Switchboard()
    mailbox: Any = object()
    old = switchboard.connect(mailbox)
    switchboard.disconnect(old.number)
    assert switchboard.mailbox_of(old) is None
    assert switchboard.connect(mailbox) != old
    with pytest.raises(KeyError):
        switchboard.disconnect(old.number)


def test_a_route_that_never_was_leads_nowhere():
    assert Switchboard().mailbox_of(Route("", 1)) is None


class Elsewhere:
    """Other nodes, which take some challenges."""

    def __init__(self) -> None:
        self.challenges: list[tuple[str, Any]] = []
        self.sent: list[tuple[str, list[Reply]]] = []

    def challenge(self, node: str, challenge: Any) -> bool:
        self.challenges.append((node, challenge))
        return node == "b"

    def send_replies(self, node: str, replies: list[Reply]) -> None:
        self.sent.append((node, replies))


class Mailbox:
    """One that may be closed."""

    def __init__(self) -> None:
        self.mail: list[object] = []
        self.is_closed = False

    def post(self, mail: object) -> bool:
        self.mail.append(mail)
        return not self.is_closed


def reply(route: Route, number: int) -> Reply:
    return Reply(route, Ok(id=number))


def test_answers_are_posted_once_to_each_worker_and_node_and_none_to_a_session_that_has_ended():
    switchboard, elsewhere = Switchboard("a"), Elsewhere()
    switchboard.other_nodes = elsewhere
    first: Any = Mailbox()
    second: Any = Mailbox()
    ana, luis, eva, gone = (
        switchboard.connect(mailbox) for mailbox in (first, first, second, first)
    )
    switchboard.disconnect(gone.number)
    far, farther = Route("b", ana.number), Route("c", 5)
    replies = [
        reply(route, number)
        for number, route in enumerate([ana, eva, far, gone, luis, farther, ana, far])
    ]
    switchboard.send(replies)
    assert first.mail == [Replies([replies[0], replies[4], replies[6]])]
    assert second.mail == [Replies([replies[1]])]
    assert elsewhere.sent == [("b", [replies[2], replies[7]]), ("c", [replies[5]])]


def test_answers_for_other_nodes_are_dropped_where_there_are_none():
    Switchboard().send([reply(Route("b", 1), 1)])


def test_a_session_is_challenged_in_its_worker_or_at_its_node():
    switchboard, elsewhere = Switchboard("a"), Elsewhere()
    mailbox: Any = Mailbox()
    challenge: Any = object()
    here = switchboard.connect(mailbox)
    assert switchboard.challenge(here, challenge)
    assert mailbox.mail == [challenge]
    mailbox.is_closed = True
    assert not switchboard.challenge(here, challenge)
    assert not switchboard.challenge(Route("b", here.number), challenge), "no other nodes yet"
    switchboard.other_nodes = elsewhere
    assert switchboard.challenge(Route("b", here.number), challenge)
    assert not switchboard.challenge(Route("c", here.number), challenge)
    switchboard.disconnect(here.number)
    assert not switchboard.challenge(here, challenge)
    assert elsewhere.challenges == [("b", challenge), ("c", challenge)]


def test_a_node_that_begins_anew_gives_no_number_of_an_earlier_run():
    mailbox: Any = object()
    assert Switchboard().connect(mailbox).number == 1
    numbers = {Switchboard("a").connect(mailbox).number for _ in range(3)}
    assert len(numbers) == 3
    assert all(number % 2**20 == 0 for number in numbers)


def test_mail_is_posted_to_the_worker_of_its_session_as_long_as_both_are_there():
    switchboard = Switchboard("a")
    mailbox: Any = Mailbox()
    route, mail = switchboard.connect(mailbox), Evict(1)
    assert switchboard.post(route, mail)
    assert not switchboard.post(Route("b", route.number), Evict(2))
    mailbox.is_closed = True
    assert not switchboard.post(route, mail)
    switchboard.disconnect(route.number)
    assert not switchboard.post(route, Evict(3))
    assert mailbox.mail == [mail, mail]
