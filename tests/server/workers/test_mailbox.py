"""The mailbox: no call is lost, no wake-up is missed, none is sent without need."""

import select
import threading

from tertulia.server.workers.mailbox import Mailbox


def is_readable(mailbox: Mailbox) -> bool:
    return bool(select.select([mailbox.fileno()], [], [], 0)[0])


def test_who_does_not_sleep_is_not_woken():
    mailbox = Mailbox()
    mailbox.post(lambda: None)
    mailbox.nudge()
    assert not is_readable(mailbox)
    assert len(mailbox.take()) == 1
    mailbox.close()


def test_nobody_falls_asleep_over_a_call():
    mailbox = Mailbox()
    mailbox.post(lambda: None)
    assert not mailbox.fall_asleep()
    mailbox.take()
    assert mailbox.fall_asleep()
    mailbox.close()


def test_a_sleeper_is_woken_once():
    mailbox = Mailbox()
    mailbox.fall_asleep()
    mailbox.nudge()
    assert is_readable(mailbox)
    mailbox.clear_wake_up()
    mailbox.post(lambda: None)
    mailbox.nudge()
    assert not is_readable(mailbox)
    mailbox.close()


def test_a_closed_mailbox_takes_nothing_and_gives_back_what_was_left():
    mailbox = Mailbox()
    mailbox.fall_asleep()
    mailbox.take()
    assert mailbox.post(print)
    assert mailbox.close() == [print]
    assert not mailbox.post(print)
    mailbox.nudge()


def test_calls_of_many_threads_all_arrive_and_each_threads_in_order():
    mailbox = Mailbox()
    got: list[tuple[int, int]] = []
    per_thread, threads = 500, 4

    def post(number: int) -> None:
        for i in range(per_thread):
            mailbox.post(lambda i=i: got.append((number, i)))

    posters = [threading.Thread(target=post, args=(number,)) for number in range(threads)]
    for poster in posters:
        poster.start()
    poll = select.poll()
    poll.register(mailbox.fileno(), select.POLLIN)
    while len(got) < per_thread * threads:
        if mailbox.fall_asleep():
            assert poll.poll(10_000), "a wake-up was missed"
            mailbox.clear_wake_up()
        for call in mailbox.take():
            call()
    for poster in posters:
        poster.join(10)
    for number in range(threads):
        assert [i for who, i in got if who == number] == list(range(per_thread))
    mailbox.close()
