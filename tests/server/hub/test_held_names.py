"""Names that are held for whoever has their key: the rules, and through the Hub."""

from datetime import datetime, timedelta

import pytest
from hub_chat import Chat, Keeper, code

from tertulia.protocol.messages import CloseReason
from tertulia.protocol.names import parse_name
from tertulia.protocol.times import rfc3339
from tertulia.server.hub.held_names import HeldNames
from tertulia.server.hub.records import HeldName, Removed

START = datetime.fromisoformat("2026-11-22T15:04:05.123Z")
ANA, OTHER_ANA, LUIS = parse_name("Ana"), parse_name("ＡＮÁ"), parse_name("luis")
MINE, YOURS = "A" * 22, "B" * 22
DAY_S = 86_400


def at(days=0.0):
    return rfc3339(START + timedelta(days=days))


@pytest.fixture
def held():
    return HeldNames(30, [], at())


def test_a_name_is_held_for_the_first_key_in_every_spelling(held):
    held.begin_session(ANA, "mine", at())
    assert held.is_for_another(OTHER_ANA, "yours", at())
    assert held.is_for_another(ANA, None, at())
    assert not held.is_for_another(OTHER_ANA, "mine", at())
    assert not held.is_for_another(LUIS, "yours", at())


def test_a_session_without_a_key_holds_nothing(held):
    held.begin_session(ANA, None, at())
    assert not held.is_for_another(ANA, "yours", at())
    assert held.changes == []


def test_the_days_count_from_the_end_of_the_last_session(held):
    held.begin_session(ANA, "mine", at())
    assert held.is_for_another(ANA, "yours", at(500))
    held.end_session(ANA, at(500))
    assert held.is_for_another(ANA, "yours", at(529.9))
    assert not held.is_for_another(ANA, "yours", at(530))
    held.begin_session(ANA, "mine", at(529))
    assert held.is_for_another(ANA, "yours", at(590)), "Ana is here"
    held.end_session(ANA, at(600))
    assert held.is_for_another(ANA, "yours", at(629))


def test_a_name_whose_days_are_over_belongs_to_the_next_one(held):
    held.begin_session(ANA, "mine", at())
    held.end_session(ANA, at())
    held.begin_session(ANA, "yours", at(31))
    assert held.is_for_another(ANA, "mine", at(31))
    assert not held.is_for_another(ANA, "yours", at(31))


def test_a_name_whose_days_are_over_is_forgotten_when_somebody_without_a_key_uses_it(held):
    held.begin_session(ANA, "mine", at())
    held.end_session(ANA, at())
    held.begin_session(ANA, None, at(31))
    assert held.changes[-1] == Removed(HeldName, "ana")
    held.end_session(ANA, at(31))
    assert not held.is_for_another(ANA, "yours", at(31))


def test_a_name_that_was_freed_is_held_no_longer_even_while_its_user_is_here(held):
    held.begin_session(ANA, "mine", at())
    assert held.holds(ANA)
    held.free(OTHER_ANA)
    assert not held.holds(ANA)
    held.free(ANA)
    held.end_session(ANA, at())
    assert not held.is_for_another(ANA, "yours", at())


def test_what_a_run_that_was_killed_has_left_is_held_from_the_start_on():
    rows = [
        HeldName(key="ana", name="Ana", key_hash="mine"),
        HeldName(key="luis", name="luis", key_hash="mine", ended=at(-20)),
        HeldName(key="eva", name="eva", key_hash="mine", ended=at(-31)),
    ]
    held = HeldNames(30, rows, at())
    assert held.is_for_another(ANA, "yours", at(29))
    assert held.is_for_another(LUIS, "yours", at(9))
    assert not held.is_for_another(LUIS, "yours", at(10))
    assert held.changes == [
        HeldName(key="ana", name="Ana", key_hash="mine", ended=at()),
        Removed(HeldName, "eva"),
    ]


def test_every_change_is_one_to_be_stored(held):
    held.begin_session(ANA, "mine", at())
    held.end_session(ANA, at(1))
    held.free(ANA)
    assert held.changes == [
        HeldName(key="ana", name="Ana", key_hash="mine"),
        HeldName(key="ana", name="Ana", key_hash="mine", ended=at(1)),
        Removed(HeldName, "ana"),
    ]


def test_the_row_has_the_spelling_that_was_last_used(held):
    held.begin_session(ANA, "mine", at())
    assert held.changes[-1].name == "Ana"
    held.begin_session(OTHER_ANA, "mine", at(1))
    assert held.changes[-1].name == OTHER_ANA.shown


def test_the_number_of_names_is_bounded_and_old_ones_make_room(monkeypatch):
    monkeypatch.setattr("tertulia.server.hub.held_names._MAX_HELD", 2)
    held = HeldNames(30, [], at())
    names = [parse_name(f"user{number}") for number in range(4)]
    for name in names[:3]:
        held.begin_session(name, "mine", at())
        held.end_session(name, at())
    assert len(held) == 2
    assert not held.is_for_another(names[2], "yours", at())
    held.begin_session(names[3], "mine", at(31))
    assert held.is_for_another(names[3], "yours", at(31))
    assert len(held) == 1


@pytest.mark.parametrize(("hours", "is_held"), [(0.99, False), (1.0, True)])
def test_when_full_names_that_are_over_are_searched_once_an_hour(monkeypatch, hours, is_held):
    monkeypatch.setattr("tertulia.server.hub.held_names._MAX_HELD", 1)
    row = HeldName(key="ana", name="Ana", key_hash="mine", ended=at())
    held = HeldNames(30, [row], at(30 - hours / 24))
    held.begin_session(LUIS, "mine", at(30))
    assert held.holds(LUIS) is is_held
    assert held.holds(ANA) is not is_held


def test_a_search_that_finds_nothing_counts_for_an_hour_too(monkeypatch):
    monkeypatch.setattr("tertulia.server.hub.held_names._MAX_HELD", 1)
    row = HeldName(key="ana", name="Ana", key_hash="mine", ended=at())
    held = HeldNames(30, [row], at(29))
    searched, over = at(30 - 0.5 / 24), at(30)
    for time in (searched, over):
        held.begin_session(LUIS, "mine", time)
        assert not held.holds(LUIS)
        assert held.looked_at == searched
    held.begin_session(LUIS, "mine", at(30 + 0.5 / 24))
    assert held.holds(LUIS)


# --- through the Hub -----------------------------------------------------------------------------


@pytest.fixture
def chat():
    return Chat(hold_names_days=30)


def leave(chat, session):
    chat.hub.release(session, CloseReason.QUIT)


def test_a_name_is_kept_for_its_key_while_its_user_is_away(chat):
    leave(chat, chat.join("Ana", key=MINE))
    assert code(chat.register("ana", key=YOURS)) == "name_held"
    assert code(chat.register("ana")) == "name_held"
    leave(chat, chat.join("ana", key=MINE))
    chat.clock.s += 30 * DAY_S
    chat.join("ana", key=YOURS)


def test_nobody_learns_from_it_whether_the_user_is_here(chat):
    ana = chat.join("ana", key=MINE)
    here = chat.register("ana", key=YOURS)
    leave(chat, ana)
    assert chat.register("ana", key=YOURS) == here


def test_a_token_takes_over_even_without_the_key(chat):
    ana = chat.join("ana", key=MINE)
    successor = chat.join("ana", token=ana.token)
    leave(chat, successor)
    assert code(chat.register("ana", key=YOURS)) == "name_held"


def test_the_right_key_takes_no_session_over(chat):
    chat.join("ana", key=MINE)
    assert code(chat.register("ana", key=MINE)) == "name_taken"


def test_without_the_option_a_name_is_free_at_once():
    chat = Chat()
    leave(chat, chat.join("ana", key=MINE))
    chat.join("ana", key=YOURS)


def test_only_a_hash_of_the_key_is_kept():
    keeper = Keeper()
    chat = Chat(keeper, hold_names_days=30)
    ana = chat.join("ana", key=MINE)
    leave(chat, ana)
    begun, ended = [changes[0] for changes, receipt in keeper.kept if receipt is None]
    assert (begun.name, begun.ended) == ("ana", None)
    assert ended.ended is not None
    assert MINE not in str(keeper.kept)
    assert len(begun.key_hash) == 64


def test_names_of_an_earlier_run_are_still_held():
    keeper = Keeper()
    chat = Chat(keeper, hold_names_days=30)
    chat.join("ana", key=MINE)
    keeper.rows = [changes[0] for changes, _ in keeper.kept]
    chat = Chat(keeper, hold_names_days=30)
    assert code(chat.register("ana", key=YOURS)) == "name_held"
    chat.join("ana", key=MINE)


def test_what_the_start_changes_of_the_held_names_is_stored():
    keeper = Keeper()
    keeper.rows = [HeldName(key="ana", name="ana", key_hash="mine")]
    chat = Chat(keeper, hold_names_days=30)
    ended = HeldName(key="ana", name="ana", key_hash="mine", ended=chat.hub.moderator._time())
    assert keeper.kept == [([ended], None)]
