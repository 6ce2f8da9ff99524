"""Which sessions' requests are carried out."""

import pytest

from tertulia.protocol.messages import Status
from tertulia.protocol.names import parse_name
from tertulia.server.hub.session import Route, Session


@pytest.mark.parametrize(
    ("is_here", "is_console", "may_act"),
    [(True, False, True), (False, True, True), (False, False, False)],
    ids=["user", "console", "ended"],
)
def test_only_users_who_are_here_and_consoles_may_act(is_here, is_console, may_act):
    session = Session(
        name=parse_name("ana"),
        address="10.0.0.1",
        token="",
        route=Route("", 1),
        since="2026-11-22T15:04:05.123Z",
        status=Status.ACTIVO,
        chosen=Status.ACTIVO,
        last_active=0.0,
        is_here=is_here,
        is_console=is_console,
    )
    assert session.may_act is may_act
