"""Looks are taken beside the workers; a look that fails costs no server."""

import logging
import select

import msgspec

from tertulia.protocol.measures import Measures
from tertulia.protocol.messages import Error, ErrorCode
from tertulia.protocol.watching import MeasuresTaken
from tertulia.server.config import Config
from tertulia.server.workers.looks import Look, Looks
from tertulia.server.workers.mail import LookTaken

_decoder = msgspec.json.Decoder(MeasuresTaken | Error)


class Owner:
    """A worker's mailbox."""

    def __init__(self) -> None:
        self.mail: list[LookTaken] = []

    def post(self, mail: LookTaken) -> bool:
        self.mail.append(mail)
        return True


def is_ready(fd: int) -> bool:
    return bool(select.select([fd], [], [], 0)[0])


def test_a_look_that_fails_is_logged_and_refused(caplog):
    looks, owner = Looks(Config(port=0, threads=None)), Owner()

    def fail() -> Measures:
        raise ZeroDivisionError("no time has passed")

    looks.measure = fail
    fd = looks.open()
    assert not is_ready(fd)
    looks.ask(Look(5, owner, 9))
    assert is_ready(fd)
    with caplog.at_level(logging.ERROR):
        looks.take_all()
    assert not is_ready(fd)
    looks.close()
    looks.ask(Look(6, owner, 9))
    assert [mail.session for mail in owner.mail] == [9]
    refused = _decoder.decode(owner.mail[0].line)
    assert isinstance(refused, Error)
    assert (refused.id, refused.code) == (5, ErrorCode.UNAVAILABLE)
    assert "no time has passed" in caplog.text


def test_each_look_is_answered_once():
    looks, owner = Looks(Config(port=0, threads=None)), Owner()

    def fail() -> Measures:
        raise ZeroDivisionError

    looks.measure = fail
    looks.open()
    for session in (8, 9):
        looks.ask(Look(5, owner, session))
        looks.take_all()
    looks.close()
    assert [mail.session for mail in owner.mail] == [8, 9]
