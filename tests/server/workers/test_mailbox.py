"""The mailbox: no mail is lost, no wake-up is missed, and none is sent without need."""

import os
import select
import threading
from collections.abc import Iterator

import pytest

from tertulia.server.workers.mail import Drain, Evict
from tertulia.server.workers.mailbox import Mailbox


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    mailbox = Mailbox()
    yield mailbox
    mailbox.close()


def is_readable(mailbox: Mailbox) -> bool:
    return bool(select.select([mailbox.fileno()], [], [], 0)[0])


def test_a_worker_that_does_not_sleep_is_not_woken(mailbox):
    assert mailbox.post(Drain())
    mailbox.nudge()
    assert not is_readable(mailbox)
    assert mailbox.collect() == [Drain()]
    assert mailbox.collect() == []


def test_mail_keeps_a_worker_from_falling_asleep(mailbox):
    mailbox.post(Drain())
    assert not mailbox.fall_asleep()
    mailbox.nudge()
    assert not is_readable(mailbox)
    mailbox.collect()
    assert mailbox.fall_asleep()


@pytest.mark.parametrize("call", ["post", "nudge"])
def test_a_sleeper_is_woken_once(mailbox, call):
    mailbox.fall_asleep()
    if call == "post":
        mailbox.post(Drain())
    else:
        mailbox.nudge()
    assert is_readable(mailbox)
    mailbox.clear_wake_up()
    mailbox.post(Drain())
    mailbox.nudge()
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
    mailbox.nudge()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(fd)


def test_nobody_writes_to_the_descriptor_of_a_sleeper_that_was_closed():
    mailbox = Mailbox()
    mailbox.fall_asleep()
    mailbox.close()
    mailbox.nudge()  # would be an OSError, or another file's byte


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
        got += [mail.session for mail in mailbox.collect()]
    for poster in posters:
        poster.join(10)
    for number in range(threads):
        first = number * per_thread
        own = [i for i in got if first <= i < first + per_thread]
        assert own == list(range(first, first + per_thread))
