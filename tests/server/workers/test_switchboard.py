"""Routes: each leads to one mailbox until its session has ended."""

from typing import Any

import pytest

from tertulia.server.hub.session import Route
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
    switchboard.disconnect(old)
    assert switchboard.mailbox_of(old) is None
    assert switchboard.connect(mailbox) != old
    with pytest.raises(KeyError):
        switchboard.disconnect(old)


def test_a_route_that_never_was_leads_nowhere():
    assert Switchboard().mailbox_of(Route("", 1)) is None
