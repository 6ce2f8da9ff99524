"""Requests of operators: a ban has one target, and every request has a word for the log."""

import pytest

from tertulia.protocol.hooks import CreateHook
from tertulia.protocol.messages import Request
from tertulia.protocol.moderation import (
    BecomeOperator,
    ImposeBan,
    Kick,
    LiftBan,
    ListBans,
    PinMessage,
    SetLock,
    target_of,
)


@pytest.mark.parametrize("kind", [ImposeBan, LiftBan])
def test_a_ban_is_of_a_name_or_of_an_address(kind: type[ImposeBan | LiftBan]) -> None:
    assert kind(name="luis").name == "luis"
    assert kind(address="10.0.0.7").address == "10.0.0.7"
    for given in ({}, {"name": "luis", "address": "10.0.0.7"}):
        with pytest.raises(ValueError, match="give either 'name' or 'address'"):
            kind(**given)


@pytest.mark.parametrize(
    ("request_", "target"),
    [
        (Kick(name="luis", reason="noise"), "luis"),
        (CreateHook(name="build"), "build"),
        (ImposeBan(address="10.0.0.0/8"), "10.0.0.0/8"),
        (SetLock(on=False), "False"),
        (PinMessage(seq=7), "7"),
        (PinMessage(), ""),
        (ListBans(), ""),
        (BecomeOperator(secret="open sesame"), ""),
    ],
)
def test_the_log_gets_what_a_request_applies_to_and_no_secret(
    request_: Request, target: str
) -> None:
    assert target_of(request_) == target
