"""The checker finds each kind of violation."""

import pytest
from checker import violations
from journal import Journal, Seen

HISTORY = [Seen(2, "a-0", "a", "hola"), Seen(3, "a-1", "a", "qué"), Seen(7, None, "b", "tal")]


@pytest.fixture
def journal(tmp_path):
    """Return the journal of a user for whom everything went well."""
    journal = Journal(str(tmp_path / "a"))
    journal.welcome("epoch", 0)
    for nonce in ("a-0", "a-1"):
        journal.say(nonce)
    for message in HISTORY:
        journal.see(message)
    journal.acknowledged("a-0", 2)
    journal.acknowledged("a-1", 3)
    journal.event(8, "left b")
    yield journal
    journal.close()


def found(journal, history=None, **others):
    return list(violations(HISTORY if history is None else history, {"a": journal, **others}))


def test_it_finds_nothing_when_everything_went_well(journal):
    assert found(journal) == []


def test_a_journal_is_read_as_it_was_written_except_an_incomplete_line(journal, tmp_path):
    journal.flush()
    with (tmp_path / "a").open("ab") as file:
        file.write(b'["seen", 9')
    again = Journal(str(tmp_path / "a"))
    assert again.seen == journal.seen
    assert again.acknowledgements == journal.acknowledgements
    assert (again.first_seq, again.last_seq, again.unanswered) == (0, 8, [])
    again.event(9, "joined c")
    again.close()
    assert Journal(str(tmp_path / "a")).last_seq == 9


def test_it_finds_an_acknowledged_message_that_is_lost(journal):
    assert any("not in the history" in problem for problem in found(journal, HISTORY[1:]))


def test_it_finds_an_acknowledgement_of_something_else(journal):
    journal.acknowledged("a-0", 3)
    assert found(journal) == ["a: a-0 was acknowledged as 3, which is a-1"]


def test_it_finds_a_message_that_was_never_acknowledged(journal):
    journal.say("a-2")
    assert any("never acknowledged" in problem for problem in found(journal))


def test_it_finds_a_message_that_a_user_missed(journal):
    del journal.seen[1]
    assert found(journal) == ["a: never saw 3, which is in the history"]


def test_it_finds_another_order(journal):
    journal.seen[:2] = reversed(journal.seen[:2])
    assert found(journal) == ["a: saw 2 after 3"]


def test_it_finds_a_message_seen_twice(journal):
    journal.seen.insert(1, journal.seen[0])
    assert "a: saw 2 after 2" in found(journal)


def test_it_finds_a_number_given_twice(journal, tmp_path):
    other = Journal(str(tmp_path / "b"))
    other.welcome("epoch", 7)
    other.event(8, "joined c")
    assert [p[:29] for p in found(journal, b=other)] == ["number 8 was given 2 times: {"[:29]]
    other.close()


def test_it_finds_a_message_stored_twice(journal):
    again = Seen(9, "a-0", "a", "hola")
    journal.see(again)
    problems = found(journal, [*HISTORY, again])
    assert "the history has a-0 2 times" in problems
    assert "a: saw a-0 as [2, 9], though it was stored the first time" in problems


def test_it_accepts_a_message_that_was_lost_in_a_crash_and_said_again(journal):
    journal.see(Seen(9, "a-2", "a", "otra"))
    journal.say("a-2")
    resent = Seen(1_000_001, "a-2", "a", "otra")
    journal.see(resent)
    journal.acknowledged("a-2", resent.seq)
    assert found(journal, [*HISTORY, resent]) == []


def test_it_finds_a_second_epoch_and_users_without_events(journal, tmp_path):
    journal.welcome("another", 8)
    other = Journal(str(tmp_path / "b"))
    late = Journal(str(tmp_path / "c"))
    late.welcome("epoch", 3)
    problems = found(journal, b=other, c=late)
    assert "the numbering has 2 epochs" in problems
    assert "b: never got in" in problems
    assert "c: saw nothing after 3" in problems
    other.close()
    late.close()


# --- direct messages -----------------------------------------------------------------------------


@pytest.fixture
def receiver(journal, tmp_path):
    """Return the journal of a user who got one direct message; another one came back."""
    receiver = Journal(str(tmp_path / "b"))
    receiver.welcome("epoch", 0)
    for message in HISTORY:
        receiver.see(message)
    for nonce in ("d-0", "d-1"):
        journal.send_direct(nonce, "b")
    journal.direct_confirmed("d-0")
    journal.direct_undelivered("d-1")
    receiver.get_direct("d-0")
    yield receiver
    receiver.close()


def test_it_finds_nothing_when_each_direct_message_arrived_or_came_back(journal, receiver):
    assert found(journal, b=receiver) == []
    receiver.get_direct("d-1")  # it came back, but nobody said that it had not arrived
    assert found(journal, b=receiver) == []


def test_it_finds_a_direct_message_that_was_confirmed_and_never_arrived(journal, receiver):
    journal.send_direct("d-2", "b")
    journal.direct_confirmed("d-2")
    assert found(journal, b=receiver) == ["a: d-2 was confirmed and b never got it"]


def test_it_finds_a_direct_message_of_which_nothing_was_heard(journal, receiver):
    journal.send_direct("d-2", "b")
    assert found(journal, b=receiver) == ["a: d-2 was neither confirmed nor undelivered"]


def test_it_finds_a_direct_message_that_was_shown_twice(journal, receiver):
    receiver.get_direct("d-0")
    assert found(journal, b=receiver) == ["b got d-0 2 times"]


def test_it_finds_a_direct_message_that_somebody_else_got(journal, receiver):
    journal.get_direct("d-0")
    assert found(journal, b=receiver) == ["a got d-0, which nobody sent to it"]
