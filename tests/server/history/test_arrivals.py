"""Who came and who went, in their places between the messages."""

from tertulia.protocol.messages import StoredMessage
from tertulia.server.history.arrivals import Arrival, Departure, in_order
from tertulia.server.hub.records import Visit


def said(seq, time):
    return StoredMessage(seq=seq, time=time, sender="ana", text=f"m{seq}")


def visit(key, joined, ended=None):
    reason = None if ended is None else "quit"
    name = f"u{key}"
    return Visit(key=key, name=name, address="::1", joined=joined, ended=ended, reason=reason)


def order(messages, visits):
    def shown(item):
        if isinstance(item, Arrival):
            return f"+{item.name}"
        return f"-{item.name}" if isinstance(item, Departure) else item.text

    return " ".join(shown(item) for item in in_order(messages, visits))


def test_ends_come_between_what_was_before_and_after():
    messages = [said(2, "10"), said(5, "30"), said(7, "50")]
    visits = [visit(1, "05", "40"), visit(4, "20", "25"), visit(6, "45")]
    assert order(messages, visits) == "+u1 m2 +u4 -u4 m5 -u1 +u6 m7"


def test_in_one_millisecond_messages_come_first_and_a_take_over_ends_before_it_begins():
    assert order([said(2, "10"), said(3, "10")], [visit(1, "10", "10"), visit(5, "10")]) == (
        "+u1 m2 m3 -u1 +u5"
    )


def test_a_clock_that_was_set_back_puts_no_end_before_its_beginning():
    messages = [said(3, "90"), said(6, "20")]
    assert order(messages, [visit(1, "80", "95"), visit(5, "10", "15")]) == "+u1 m3 +u5 -u5 m6 -u1"


def test_after_the_clock_was_set_back_an_end_comes_after_the_messages_before_it():
    messages = [said(1, "90"), said(3, "20"), said(4, "40")]
    assert order(messages, [visit(2, "10", "30")]) == "m1 +u2 m3 -u2 m4"
