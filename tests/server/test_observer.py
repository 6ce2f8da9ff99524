"""What an operator reads in the log, and what is counted."""

import logging

import pytest
from standing_clock import StandingClock

from tertulia.protocol.messages import CloseReason
from tertulia.server.observer import Observer, SparseLog, add_up


@pytest.fixture
def observer(caplog: pytest.LogCaptureFixture) -> Observer:
    caplog.set_level(logging.INFO, "tertulia.server")
    return Observer()


def test_everything_that_happens_is_counted_once_under_its_name(observer):
    observer.accepted += 2
    observer.closed += 1
    observer.on_joined("ana", "10.0.0.1")
    observer.on_left("ana", "10.0.0.1", CloseReason.QUIT)
    observer.on_left("luis", "10.0.0.2", CloseReason.LOST)
    observer.on_refused("10.0.0.3", "server_full")
    observer.on_no_thread("10.0.0.3", "server_full", OSError("no more"))
    observer.on_gap()
    observer.on_fault("nobody")
    observer.on_refused_request("rate_limited", "requests")
    observer.on_refused_request("text_empty")
    total = add_up([observer])
    assert (total.accepted, total.closed, total.joined, total.gaps, total.faults) == (2, 1, 1, 1, 1)
    assert total.left == {"quit": 1, "lost": 1}
    assert total.refused == {"server_full": 2}
    assert total.refused_requests == {"rate_limited": 1, "text_empty": 1}
    assert total.rate_limited == {"requests": 1}


def test_the_counts_of_all_threads_are_added_up():
    first, second = Observer(), Observer()
    for observer, count in ((first, 2), (second, 3)):
        for _ in range(count):
            observer.on_gap()
            observer.on_left("ana", "10.0.0.1", CloseReason.SLOW)
        observer.requests = observer.sent_bytes = 10 * count
        observer.say_to_last_send.note(0.002, count)
        observer.say_to_last_send.note(60.0)
    total = add_up([first, second])
    assert (total.gaps, total.left["slow"], total.accepted) == (5, 5, 0)
    assert (total.requests, total.sent_bytes) == (50, 50)
    latencies = total.say_to_last_send.latencies
    assert latencies.counts == [0, 0, 5, *[0] * 10, 2]
    assert latencies.sum_s == pytest.approx(120.01)
    assert first.say_to_last_send.latencies.counts[2] == 2  # what is added up stays as it was


def test_every_number_of_an_observer_is_added_up():
    observer = Observer()
    apart = {"_sparse_log", "busy_since", "left", "rate_limited", "refused", "refused_requests"}
    names = [name for name in Observer.__slots__ if name not in apart | {"say_to_last_send"}]
    for place, name in enumerate(names, 1):
        setattr(observer, name, place)
    total = add_up([observer, observer])
    assert {name: getattr(total, name) for name in names} == {
        name: 2 * place for place, name in enumerate(names, 1)
    }


def test_the_log_has_a_line_for_each_coming_and_going(observer, caplog):
    observer.on_joined("ana", "10.0.0.1")
    observer.on_left("ana", "10.0.0.1", CloseReason.QUIT)
    observer.on_never_registered("10.0.0.1", CloseReason.LOST)
    observer.on_refused("10.0.0.1", "server_full")
    assert caplog.messages == [
        "joined name=ana address=10.0.0.1",
        "left name=ana address=10.0.0.1 reason=quit",
        "closed address=10.0.0.1 reason=lost registered=no",
        "refused address=10.0.0.1 code=server_full",
    ]


def test_a_connection_that_is_slow_leaves_no_line(observer, caplog):
    observer.on_gap()
    assert caplog.messages == []


def test_a_refused_name_is_logged_harmless_and_short(observer, caplog):
    observer.on_refused("10.0.0.1", "name_invalid", "a\nñ" + "x" * 100)
    [line] = caplog.messages
    assert line == rf"refused address=10.0.0.1 code=name_invalid name='a\n\xf1{'x' * 61}'"


def test_a_missing_thread_is_a_warning_with_its_cause(observer, caplog):
    observer.on_no_thread("10.0.0.1", "server_full", RuntimeError("can't start new thread"))
    [record] = caplog.records
    assert record.levelname == "WARNING"
    assert record.getMessage().endswith("error=can't start new thread")


def test_a_fault_is_logged_with_its_traceback(observer, caplog):
    try:
        raise ZeroDivisionError("a fault of ours")
    except ZeroDivisionError:
        observer.on_fault("the connection")
    [record] = caplog.records
    assert record.levelname == "ERROR"
    assert "'the connection'" in record.getMessage()
    assert record.exc_info[0] is ZeroDivisionError


def test_what_outsiders_can_cause_at_will_is_logged_once_a_minute_with_their_number(caplog):
    caplog.set_level(logging.INFO, "tertulia.server")
    clock = StandingClock()
    sparse = SparseLog(clock.monotonic)
    observers = [Observer(sparse), Observer(sparse)]
    for _ in range(50):
        for observer in observers:
            observer.on_refused("10.0.0.3", "code_wrong", "ana")
        clock.s += 1
    assert caplog.messages == ["refused address=10.0.0.3 code=code_wrong name='ana'"]
    clock.s += 10
    observers[1].on_refused("10.0.0.4", "code_wrong", "eva")
    assert caplog.messages[1:] == [
        "refused address=10.0.0.4 code=code_wrong name='eva' not_logged_before=99"
    ]
    assert add_up(observers).refused["code_wrong"] == 101


@pytest.mark.parametrize(
    ("happen", "line"),
    [
        (
            lambda observer: observer.on_refused("10.0.0.3", "server_full"),
            "refused address=10.0.0.3 code=server_full",
        ),
        (
            lambda observer: observer.on_never_registered("10.0.0.3", CloseReason.LOST),
            "closed address=10.0.0.3 reason=lost registered=no",
        ),
    ],
)
def test_those_who_do_not_get_in_are_logged_thirty_times_a_minute(happen, line, caplog):
    caplog.set_level(logging.INFO, "tertulia.server")
    clock = StandingClock()
    observer = Observer(SparseLog(clock.monotonic))
    for _ in range(50):
        happen(observer)
        clock.s += 1
    assert caplog.messages == [line] * 30
    clock.s += 10
    happen(observer)
    happen(observer)
    assert caplog.messages[30:] == [f"{line} not_logged_before=20", line]


def test_handshakes_that_fail_are_outsiders_too(caplog):
    caplog.set_level(logging.INFO, "tertulia.server")
    observer = Observer(SparseLog(StandingClock().monotonic))
    for _ in range(3):
        observer.on_tls_failed("10.0.0.3", "NO_SHARED_CIPHER")
    assert caplog.messages == ["refused address=10.0.0.3 code=tls_failed reason=no_shared_cipher"]
    assert observer.refused == {"tls_failed": 3}


def test_of_wrong_secrets_one_line_a_minute_is_logged_for_each_kind(caplog):
    clock = StandingClock()
    observer = Observer(SparseLog(clock.monotonic))
    for address in ("10.0.0.1", "10.0.0.2", "10.0.0.3"):
        observer.on_wrong_secret("hook", address)
    observer.on_wrong_secret("operator secret", "10.0.0.4")
    clock.s += 60.0
    observer.on_wrong_secret("hook", "10.0.0.1")
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("WARNING", "wrong hook address=10.0.0.1 not_logged=0"),
        ("WARNING", "wrong operator secret address=10.0.0.4 not_logged=0"),
        ("WARNING", "wrong hook address=10.0.0.1 not_logged=2"),
    ]
