"""MeasureRequests are taken beside the workers; a look that fails costs no server."""

import logging
import select

from tertulia.protocol.measures import Measures
from tertulia.protocol.messages import Error, ErrorCode
from tertulia.server.config import Config
from tertulia.server.workers.mail import MeasuresReady
from tertulia.server.workers.measure_requests import MeasureRequest, MeasureRequests


class Owner:
    """A worker's mailbox."""

    def __init__(self) -> None:
        self.mail: list[MeasuresReady] = []

    def post(self, mail: MeasuresReady) -> bool:
        self.mail.append(mail)
        return True


def is_ready(fd: int) -> bool:
    return bool(select.select([fd], [], [], 0)[0])


def test_a_look_that_fails_is_logged_and_refused(caplog):
    measure_requests, owner = MeasureRequests(Config(port=0, threads=None)), Owner()

    def fail() -> Measures:
        raise ZeroDivisionError("no time has passed")

    measure_requests.measure = fail
    fd = measure_requests.open()
    assert not is_ready(fd)
    measure_requests.ask(MeasureRequest(5, owner, 9))
    assert is_ready(fd)
    with caplog.at_level(logging.ERROR):
        measure_requests.answer_all()
    assert not is_ready(fd)
    measure_requests.close()
    measure_requests.ask(MeasureRequest(6, owner, 9))
    assert [mail.session_number for mail in owner.mail] == [9]
    refused = owner.mail[0].answer
    assert isinstance(refused, Error)
    assert (refused.id, refused.code) == (5, ErrorCode.UNAVAILABLE)
    assert "no time has passed" in caplog.text


def test_each_look_is_answered_once():
    measure_requests, owner = MeasureRequests(Config(port=0, threads=None)), Owner()

    def fail() -> Measures:
        raise ZeroDivisionError

    measure_requests.measure = fail
    measure_requests.open()
    for session in (8, 9):
        measure_requests.ask(MeasureRequest(5, owner, session))
        measure_requests.answer_all()
    measure_requests.close()
    assert [mail.session_number for mail in owner.mail] == [8, 9]
