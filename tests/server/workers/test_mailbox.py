"""The mailbox: no mail is lost, no wake-up is missed, and none is sent without need."""

import os
import select
import threading
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from tertulia.server.workers import mailbox as mailbox_module
from tertulia.server.workers.mail import Drain, Evict
from tertulia.server.workers.mailbox import Mailbox, Mailboxes


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    mailbox = Mailbox()
    yield mailbox
    mailbox.close()


def is_readable(mailbox: Mailbox) -> bool:
    return bool(select.select([mailbox.fileno()], [], [], 0)[0])


def test_a_worker_that_does_not_sleep_is_not_woken(mailbox):
    assert mailbox.post(Drain())
    mailbox.nudge(0.0)
    assert not is_readable(mailbox)
    assert mailbox.collect() == [Drain()]
    assert mailbox.collect() == []


def test_mail_keeps_a_worker_from_falling_asleep(mailbox):
    mailbox.post(Drain())
    assert not mailbox.fall_asleep()
    mailbox.nudge(0.0)
    assert not is_readable(mailbox)
    mailbox.collect()
    assert mailbox.fall_asleep()


@pytest.mark.parametrize("call", ["post", "nudge"])
def test_a_sleeper_is_woken_once(mailbox, call):
    mailbox.fall_asleep()
    if call == "post":
        mailbox.post(Drain())
    else:
        mailbox.nudge(0.0)
    assert is_readable(mailbox)
    mailbox.clear_wake_up()
    mailbox.post(Drain())
    mailbox.nudge(0.0)
    assert not is_readable(mailbox)


def test_a_worker_that_has_collected_its_mail_is_awake(mailbox):
    mailbox.fall_asleep()
    mailbox.collect()
    mailbox.post(Drain())
    assert not is_readable(mailbox)


def test_a_closed_mailbox_takes_nothing_and_gives_back_what_was_left():
    mailbox = Mailbox()
    mailbox.fall_asleep()
    mailbox.collect()
    assert mailbox.post(Evict(1))
    fd = mailbox.fileno()
    assert mailbox.close() == [Evict(1)]
    assert not mailbox.post(Evict(2))
    mailbox.nudge(0.0)
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(fd)


def test_nobody_writes_to_the_descriptor_of_a_sleeper_that_was_closed():
    mailbox = Mailbox()
    mailbox.fall_asleep()
    mailbox.close()
    mailbox.nudge(0.0)  # would be an OSError, or another file's byte


def test_mail_of_many_threads_arrives_and_each_threads_in_its_order(mailbox):
    got: list[int] = []
    per_thread, threads = 500, 4

    def post(number: int) -> None:
        for i in range(per_thread):
            mailbox.post(Evict(number * per_thread + i))

    posters = [threading.Thread(target=post, args=(number,)) for number in range(threads)]
    for poster in posters:
        poster.start()
    poll = select.poll()
    poll.register(mailbox.fileno(), select.POLLIN)
    while len(got) < per_thread * threads:
        if mailbox.fall_asleep():
            assert poll.poll(10_000), "a wake-up was missed"
            mailbox.clear_wake_up()
        got += [mail.session_number for mail in mailbox.collect()]
    for poster in posters:
        poster.join(10)
    for number in range(threads):
        first = number * per_thread
        own = [i for i in got if first <= i < first + per_thread]
        assert own == list(range(first, first + per_thread))


def test_the_first_news_since_the_last_round_says_since_when_there_are_some(mailbox):
    mailbox.nudge(5.0)
    mailbox.nudge(6.0)
    assert mailbox.news_since == 0.0
    mailbox.collect()
    assert mailbox.news_since == 5.0
    mailbox.collect()
    assert mailbox.news_since == 0.0


def test_it_is_known_how_much_mail_waits_and_since_when_the_oldest(mailbox, monkeypatch):
    times = iter([1.0, 2.0])
    monkeypatch.setattr(mailbox_module, "time", SimpleNamespace(monotonic=lambda: next(times)))
    assert len(mailbox) == 0
    mailbox.post(Drain())
    mailbox.post(Drain())
    assert (len(mailbox), mailbox.waiting_since) == (2, 1.0)
    mailbox.collect()
    assert len(mailbox) == 0
    mailbox.post(Drain())
    assert mailbox.waiting_since == 2.0


# --- the mailboxes of all workers ----------------------------------------------------------------


def test_mail_for_all_workers_goes_to_those_that_have_not_ended():
    mailboxes, boxes = Mailboxes(), [Mailbox() for _ in range(3)]
    for mailbox in boxes:
        mailboxes.add(mailbox)
    mailboxes.remove(boxes[1])
    mailboxes.post(Drain())
    assert [mailbox.collect() for mailbox in boxes] == [[Drain()], [], [Drain()]]
    for mailbox in boxes:
        mailbox.close()


def test_events_are_announced_to_all_workers_but_the_one_that_published_them():
    mailboxes, boxes = Mailboxes(), [Mailbox() for _ in range(3)]
    for mailbox in boxes:
        mailboxes.add(mailbox)
        mailbox.fall_asleep()
    mailboxes.announce(boxes[1], 5.0)
    assert [is_readable(mailbox) for mailbox in boxes] == [True, False, True]
    for mailbox in boxes:
        mailbox.collect()
    assert [mailbox.news_since for mailbox in boxes] == [5.0, 0.0, 5.0]
    for mailbox in boxes:
        mailbox.close()
