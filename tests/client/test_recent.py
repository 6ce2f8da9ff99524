"""What comes again is noticed."""

from tertulia.client.recent import Recent, RecentDirects
from tertulia.protocol.messages import DirectMessage


def direct(text: str = "hola", time: str = "t", **fields) -> DirectMessage:
    return DirectMessage(time=time, sender="luis", to="ana", text=text, **fields)


def test_only_the_latest_are_known() -> None:
    recent = Recent()
    assert all(recent.is_new(number) for number in range(10_001))
    assert not recent.is_new(10_000)
    assert not recent.is_new(1)
    assert recent.is_new(0)


def test_a_message_with_the_receipt_of_another_session_is_new() -> None:
    directs = RecentDirects()
    assert directs.is_new_direct(direct(receipt=1))
    assert not directs.is_new_direct(direct(receipt=1))
    assert directs.is_new_direct(direct(receipt=1, time="later"))
    assert directs.is_new_direct(direct(receipt=2))


def test_a_message_that_was_sent_again_comes_under_another_receipt_and_at_another_time() -> None:
    directs = RecentDirects()
    assert directs.is_new_direct(direct(receipt=7, nonce="n"))
    assert not directs.is_new_direct(direct(receipt=1, nonce="n", time="later"))
    other = DirectMessage(time="t", sender="eva", to="ana", text="hola", nonce="n")
    assert directs.is_new_direct(other)


def test_without_receipt_and_nonce_every_message_is_new() -> None:
    directs = RecentDirects()
    assert directs.is_new_direct(direct())
    assert directs.is_new_direct(direct())
