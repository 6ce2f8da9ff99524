"""What the log says when a node does not serve, and when its users are sent to another one."""

import pytest

from tertulia.server.cluster.pauses import Pauses


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records]


def test_the_log_says_once_that_a_node_does_not_serve_and_once_that_it_does_again(caplog):
    caplog.set_level("INFO")
    pauses = Pauses("lab1")
    for serves, now in ((False, 1.0), (True, 2.0), (True, 3.0)):
        assert not pauses.note(serves, now)
    assert said(caplog) == [], "the start says it"
    for serves, now in ((False, 10.0), (False, 11.0), (True, 14.25), (True, 15.0)):
        assert pauses.note(serves, now) == (now == 14.25)
    assert said(caplog) == [
        "node does not serve node=lab1 reason='its own batches do not come back'",
        "node serves again node=lab1 pause=4.2s",
    ]


def test_users_are_sent_away_once_in_a_pause_of_half_a_minute():
    pauses = Pauses("lab1")
    assert not pauses.send_away(100.0), "nobody is there before the start"
    pauses.note(True, 100.0)
    pauses.note(False, 110.0)
    assert not pauses.send_away(139.0)
    assert pauses.send_away(140.0)
    assert not pauses.send_away(150.0)
    pauses.note(True, 151.0)
    assert not pauses.send_away(190.0)
    pauses.note(False, 200.0)
    assert not pauses.send_away(229.0)
    assert pauses.send_away(230.0)
