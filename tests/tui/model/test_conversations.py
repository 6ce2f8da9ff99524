"""Conversations: events in, numbered entries out."""

from typing import Any

import pytest

from tertulia.chat.display import local_day
from tertulia.chat.mentions import Mention
from tertulia.protocol.messages import (
    ChatMessage,
    Direct,
    DirectMessage,
    Joined,
    Left,
    Presence,
    Status,
)
from tertulia.tui.model import timeline
from tertulia.tui.model.conversations import (
    GENERAL,
    MAX_CONVERSATIONS,
    MAX_DIRECT_ENTRIES,
    MAX_GENERAL_ENTRIES,
    MAX_UNREAD_CONVERSATIONS,
    MAX_WHILE_READING,
    Conversation,
    Conversations,
)
from tertulia.tui.model.timeline import (
    MAX_FOLDED_NAMES,
    Change,
    Day,
    Delivery,
    Entry,
    Moved,
    New,
    Said,
    Told,
)


def on(day: int, minute: int = 0) -> str:
    """Return a time on a day of its own for each `day`, in every time zone."""
    return f"2025-01-{day:02}T12:{minute:02}:00.000Z"


def day(number: int) -> Day:
    found = local_day(on(number))
    assert found is not None
    return Day(found)


def said(text: str, number: int = 10, **fields: Any) -> Said:
    return Said(time=on(number), sender="luis", text=text, **fields)


def told(text: str, number: int = 10) -> Told:
    return Told(time=on(number), words=lambda: text)


def joined(name: str, number: int = 10) -> Joined:
    return Joined(seq=1, time=on(number), name=name, status=Status.ACTIVO)


def left(name: str, reason: str = "quit", number: int = 10) -> Left:
    return Left(seq=1, time=on(number), name=name, reason=reason)


def presence(name: str, status: Status = Status.OCUPADO, number: int = 10) -> Presence:
    return Presence(seq=1, time=on(number), name=name, status=status, by="user")


def message(text: str, sender: str = "luis", seq: int = 1, number: int = 10) -> ChatMessage:
    return ChatMessage(seq=seq, time=on(number), sender=sender, text=text)


def direct(text: str, sender: str = "luis", to: str = "ana") -> DirectMessage:
    return DirectMessage(time=on(10), sender=sender, to=to, text=text)


def shown(entries: list[Entry]) -> list[object]:
    """Write entries in a short form."""
    short: list[object] = []
    for entry in entries:
        match entry:
            case Said():
                short.append(entry.text)
            case Told():
                short.append(entry.words())
            case Day():
                short.append(entry.day)
            case Moved():
                short.append(tuple(entry.changes))
    return short


# --- days --------------------------------------------------------------------------------------


def test_a_new_day_is_marked_before_its_first_entry_and_once() -> None:
    conversation = Conversation(GENERAL)
    conversation.add(said("one", 10))
    conversation.add(told("two", 10))
    conversation.add(said("three", 11))
    conversation.fold(joined("eva", 12))
    conversation.fold(left("zoe", number=12))
    assert shown(conversation.entries) == [
        day(10).day, "one", "two", day(11).day, "three", day(12).day, ("eva", "zoe")
    ]  # fmt: skip
    assert (conversation.first, conversation.end) == (0, 7)


def test_a_day_between_ends_a_stretch_of_comings_and_goings() -> None:
    conversation = Conversation(GENERAL)
    conversation.fold(joined("eva", 10))
    conversation.fold(joined("zoe", 11))
    assert shown(conversation.entries) == [day(10).day, ("eva",), day(11).day, ("zoe",)]


def test_clocks_that_go_back_and_times_that_are_none_make_no_days() -> None:
    conversation = Conversation(GENERAL)
    conversation.add(said("today", 11))
    conversation.add(said("yesterday", 10))
    conversation.add(Said(time="soon", sender="luis", text="soon"))
    assert shown(conversation.entries) == [day(11).day, "today", "yesterday", "soon"]


def test_older_messages_of_the_same_day_come_under_its_mark() -> None:
    conversation = Conversation(GENERAL)
    conversation.add(said("new", 11))
    conversation.add_older([said("old", 10), said("older than new", 11)])
    assert shown(conversation.entries) == [
        day(10).day, "old", day(11).day, "older than new", "new"
    ]  # fmt: skip
    assert (conversation.first, conversation.end) == (-3, 2)


def test_older_messages_of_another_day_leave_the_mark_where_it_is() -> None:
    conversation = Conversation(GENERAL)
    conversation.add(said("new", 11))
    conversation.add_older([said("old", 10)])
    assert shown(conversation.entries) == [day(10).day, "old", day(11).day, "new"]
    assert (conversation.first, conversation.end) == (-2, 2)


def test_no_older_messages_change_nothing() -> None:
    conversation = Conversation(GENERAL)
    conversation.add(said("new"))
    conversation.add_older([])
    assert shown(conversation.entries) == [day(10).day, "new"]
    assert (conversation.first, conversation.end) == (0, 2)


def test_a_day_that_began_with_older_messages_is_not_marked_again() -> None:
    conversation = Conversation(GENERAL)
    conversation.add_older([said("old")])
    conversation.add(said("new"))
    assert shown(conversation.entries) == [day(10).day, "old", "new"]


# --- bounds ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "reading", "bound"),
    [
        (GENERAL, False, MAX_GENERAL_ENTRIES),
        ("luis", False, MAX_DIRECT_ENTRIES),
        (GENERAL, True, MAX_WHILE_READING),
        ("luis", True, MAX_WHILE_READING),
    ],
)
def test_the_oldest_are_forgotten_later_by_who_reads_further_up(
    name: str, reading: bool, bound: int
) -> None:
    conversation = Conversation(name)
    conversation.has_older = False
    slack = timeline._TRIMMED_AT_ONCE
    for number in range(bound + slack - 1):  # and the day
        conversation.add(said(str(number)))
    conversation.trim(reading=reading)
    assert (conversation.first, len(conversation.entries)) == (0, bound + slack)
    conversation.add(said("last"))
    end = conversation.end
    conversation.trim(reading=reading)
    assert len(conversation.entries) == bound + 1
    assert conversation.end == end
    assert isinstance(conversation.entries[0], Day)
    assert conversation.has_older == (name == GENERAL)  # the server keeps no direct messages


def test_after_trimming_the_first_day_is_that_of_the_oldest_entry() -> None:
    conversation = Conversation("luis")
    for number in range(MAX_DIRECT_ENTRIES + 600):
        conversation.add(said(str(number), 10 if number < 300 else 11))
    conversation.trim(reading=False)
    assert conversation.entries[0].day == day(11).day  # type: ignore[union-attr]
    assert sum(isinstance(entry, Day) for entry in conversation.entries) == 1


def test_the_text_has_a_bound_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timeline, "MAX_CHARS", 1_000)
    conversation = Conversation(GENERAL)
    for number in range(12):
        assert not conversation.is_full or number > 9
        conversation.add(said(f"{number:<100}"))
    conversation.has_older = False
    conversation.trim(reading=True)
    kept = [entry.text for entry in conversation.entries if isinstance(entry, Said)]
    assert kept == [f"{number:<100}" for number in range(2, 12)]
    assert conversation.is_full
    assert conversation.has_older
    conversation.add_older([said("x")])  # counted with the rest
    conversation.trim(reading=True)
    assert "x" not in shown(conversation.entries)


def test_a_conversation_with_no_room_for_older_messages_is_full() -> None:
    conversation = Conversation(GENERAL)
    for _number in range(MAX_WHILE_READING - 2):
        conversation.add(told("x"))
    assert not conversation.is_full
    conversation.add(told("x"))
    assert conversation.is_full


def test_of_comings_and_goings_only_so_many_names_are_kept() -> None:
    conversation = Conversation(GENERAL)
    for number in range(MAX_FOLDED_NAMES + 3):
        conversation.fold(joined(f"u{number}"))
    conversation.fold(left("u0"))  # known still
    moved = conversation.entries[-1]
    assert isinstance(moved, Moved)
    assert (len(moved.changes), moved.others) == (MAX_FOLDED_NAMES, 3)
    assert not moved.changes["u0"].is_here


def test_the_conversation_that_was_silent_for_longest_is_forgotten_but_not_the_open_one() -> None:
    talks = Conversations("ana")
    opened = talks.open("u0")
    for number in range(1, MAX_CONVERSATIONS):
        talks.add_direct(direct("x", f"u{number}"))
    talks.add_direct(direct("again", "u1"))
    for conversation in talks.listed:
        conversation.unread = 0
    for number in range(MAX_CONVERSATIONS, MAX_CONVERSATIONS + 2):
        talks.add_direct(direct("x", f"u{number}"))
    names = [conversation.name for conversation in talks.listed]
    assert len(names) == 1 + MAX_CONVERSATIONS
    assert opened in talks.listed
    assert "u1" in names
    assert not {"u2", "u3"} & set(names)
    assert names[:4] == [GENERAL, "u101", "u100", "u1"]


def test_a_draft_is_never_forgotten_and_unread_messages_only_when_there_are_very_many() -> None:
    talks = Conversations("ana")
    drafted, unread = talks.with_name("drafted"), talks.with_name("unread")
    drafted.draft, unread.unread = "unsent", 1
    for number in range(2 * MAX_CONVERSATIONS):
        talks.add_direct(direct("x", f"u{number}"))
        talks.with_name(f"u{number}").unread = 0
    assert {drafted, unread} <= set(talks.listed)
    assert len(talks.listed) == 1 + MAX_CONVERSATIONS
    for number in range(MAX_UNREAD_CONVERSATIONS + 10):
        talks.add_direct(direct("x", f"v{number}"))
    assert drafted in talks.listed
    assert unread not in talks.listed
    assert len(talks.listed) == 1 + MAX_UNREAD_CONVERSATIONS


def test_conversations_that_nobody_looks_at_are_trimmed_as_they_grow() -> None:
    talks = Conversations("ana")
    for _number in range(MAX_DIRECT_ENTRIES + 2_000):
        talks.add_direct(direct("x"))
    limit = MAX_DIRECT_ENTRIES + timeline._TRIMMED_AT_ONCE + 2
    assert len(talks.with_name("luis").entries) <= limit


# --- folding -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("events", "change"),
    [
        ([joined("eva")], Change(was_here=False, is_here=True)),
        ([left("eva", "lost")], Change(True, False, left=left("eva", "lost"))),
        ([joined("eva"), left("eva")], Change(False, False, left=left("eva"))),
        (
            [left("eva", "lost"), joined("eva")],
            Change(True, True, left=left("eva", "lost")),
        ),
        ([presence("eva")], Change(True, True, status=Status.OCUPADO)),
        (
            [presence("eva"), presence("eva", Status.ACTIVO)],
            Change(True, True, status=Status.ACTIVO),
        ),
        ([joined("eva"), presence("eva")], Change(False, True, status=Status.OCUPADO)),
        (
            [left("eva", "lost"), joined("eva"), left("eva")],
            Change(True, False, left=left("eva")),
        ),
    ],
)
def test_what_became_of_a_user_is_folded_into_one_change(
    events: list[Joined | Left | Presence], change: Change
) -> None:
    conversation = Conversation(GENERAL)
    for event in events:
        conversation.fold(event)
    moved = conversation.entries[-1]
    assert isinstance(moved, Moved)
    assert moved.changes == {"eva": change}


def test_a_message_between_begins_another_stretch() -> None:
    conversation = Conversation(GENERAL)
    conversation.fold(joined("eva"))
    conversation.add(said("hola"))
    conversation.fold(joined("zoe"))
    assert shown(conversation.entries) == [day(10).day, ("eva",), "hola", ("zoe",)]


def test_who_moves_is_shown_in_the_general_chat_and_in_a_conversation_that_has_begun() -> None:
    talks = Conversations("ana")
    talks.with_name("zoe")
    talks.add_direct(direct("hola", "José"))
    for name in ("JOSÉ", "zoe", "eva"):
        talks.fold_presence(left(name))
    assert shown(talks.general.entries)[1:] == [("JOSÉ", "zoe", "eva")]
    assert shown(talks.with_name("José").entries)[1:] == ["hola", ("JOSÉ",)]
    assert talks.with_name("zoe").entries == []
    assert [found.name for found in talks.listed] == [GENERAL, "José", "zoe"]


# --- what has changed --------------------------------------------------------------------------


def test_changes_are_kept_for_who_watches_and_taken_once() -> None:
    conversation = Conversation(GENERAL)
    conversation.fold(joined("eva"))
    conversation.fold(joined("zoe"))
    assert conversation.pop_changed() == []
    conversation.watched = True
    conversation.fold(left("eva"))
    conversation.fold(left("zoe"))
    assert conversation.pop_changed() == [conversation.entries[-1]]
    assert conversation.pop_changed() == []


def test_only_the_open_conversation_is_watched() -> None:
    talks = Conversations("ana")
    general = talks.general
    assert general.watched
    general.fold(joined("eva"))
    general.fold(joined("zoe"))
    luis = talks.open("luis")
    assert (general.watched, luis.watched) == (False, True)
    assert general.pop_changed() == []  # all of it will be painted when it is opened again
    assert talks.open(GENERAL) is general
    assert (general.watched, luis.watched) == (True, False)


# --- who writes with whom ----------------------------------------------------------------------


@pytest.mark.parametrize(("one", "other"), [("José", "JOSE\u0301")])
def test_names_that_are_one_have_one_conversation(one: str, other: str) -> None:
    talks = Conversations("ana")
    talks.add_direct(direct("hola", one))
    talks.add_outgoing(Direct(to=other, text="qué tal"), other, on(10))
    assert talks.with_name(one) is talks.with_name(other)
    assert [found.name for found in talks.listed] == [GENERAL, one]


def test_what_cannot_be_a_name_has_a_conversation_all_the_same() -> None:
    talks = Conversations("ana")
    talks.add_direct(direct("hola", "a b"))
    assert talks.listed[1].name == "a b"


def test_a_direct_message_from_nobody_does_no_harm() -> None:
    talks = Conversations("ana")
    talks.add_direct(direct("hola", ""))


def test_the_most_recent_conversation_is_the_first_below_the_general_chat() -> None:
    talks = Conversations("ana")
    for name in ("luis", "eva", "zoe"):
        talks.add_direct(direct("hola", name))
    talks.add_outgoing(Direct(to="luis", text="hola"), "luis", on(10))
    talks.open("eva")  # looking moves nothing
    assert [found.name for found in talks.listed] == [GENERAL, "luis", "zoe", "eva"]


def test_a_note_to_oneself_appears_once() -> None:
    talks = Conversations("ana")
    request = Direct(to="ana", text="remember")
    talks.add_outgoing(request, "ana", on(10))
    talks.add_direct(direct("remember", "ana"))
    talks.mark_delivery(request, Delivery.DELIVERED)
    assert shown(talks.with_name("ana").entries)[1:] == ["remember"]
    assert talks.with_name("ana").unread == 0


def test_what_is_unread_is_counted_and_calls_until_it_is_opened() -> None:
    talks = Conversations("ana")
    talks.add_direct(direct("one"))
    talks.add_direct(direct("two"))
    luis = talks.with_name("luis")
    assert (luis.unread, luis.calls) == (2, True)
    assert talks.open("LUIS") is luis
    assert (luis.unread, luis.calls) == (0, False)
    talks.add_direct(direct("three"))  # it is being read
    assert (luis.unread, luis.calls) == (0, False)


def test_only_new_messages_of_others_in_the_general_chat_are_unread() -> None:
    talks = Conversations("ana")
    talks.open("luis")
    assert not talks.add_message(message("ana!"), is_new=False)
    assert not talks.add_message(message("I am ana", "ana"), is_new=True)
    assert talks.general.unread == 0
    assert not talks.add_message(message("hola"), is_new=True)
    assert (talks.general.unread, talks.general.calls) == (1, False)
    assert talks.add_message(message("hola ana"), is_new=True)
    assert not talks.add_message(message("hola"), is_new=True)
    assert (talks.general.unread, talks.general.calls) == (3, True)


def test_a_mention_calls_though_one_reads_it_and_then_nothing_is_unread() -> None:
    talks = Conversations("ana")
    assert talks.add_message(message("hola ana"), is_new=True)
    assert (talks.general.unread, talks.general.calls) == (0, False)


def test_what_one_sends_is_not_unread() -> None:
    talks = Conversations("ana")
    talks.add_outgoing(Direct(to="luis", text="hola"), "luis", on(10))
    assert talks.with_name("luis").unread == 0


# --- mentions ----------------------------------------------------------------------------------


def test_a_message_mentions_the_user_if_its_text_has_the_name_as_a_word() -> None:
    talks = Conversations("ana")
    mentions = [talks.entry_of(message(text)).mention for text in ("hola @ANA!", "mañana")]
    assert mentions == [True, False]


def test_another_rule_for_mentions_also_holds_for_earlier_messages_of_others() -> None:
    talks = Conversations("ana")
    for sender in ("luis", "ana"):
        talks.add_message(message("hola ana", sender), is_new=True)
    for only_at, mentions in ((True, [False, False]), (False, [True, False])):
        talks.set_mention(Mention("ana", only_at=only_at))
        found = [entry.mention for entry in talks.general.entries if isinstance(entry, Said)]
        assert found == mentions


def test_one_does_not_mention_oneself() -> None:
    entry = Conversations("ana").entry_of(message("I am ana", "ana", seq=7))
    assert (entry.own, entry.mention, entry.seq) == (True, False, 7)


# --- closing -------------------------------------------------------------------------------------


def test_of_too_many_conversations_a_closed_one_is_forgotten_first() -> None:
    talks = Conversations("ana")
    for number in range(MAX_CONVERSATIONS):
        talks.open(f"user{number}")
    talks.close(talks.with_name("user50"))
    talks.open("one-more")
    assert "user50" not in talks
    assert "user0" in talks


def test_a_closed_conversation_loses_its_draft_and_its_unread_messages() -> None:
    talks = Conversations("ana")
    talks.add_direct(direct("hola"))
    luis = talks.with_name("luis")
    luis.draft = "half"
    talks.close(luis)
    assert (luis.draft, luis.unread, luis.calls, talks.listed) == ("", 0, False, [talks.general])


def test_after_its_end_a_closed_conversation_is_not_the_previous_one() -> None:
    talks = Conversations("ana")
    luis, eva = talks.open("luis"), talks.open("eva")
    assert talks.previous is luis
    talks.close(luis)
    assert (talks.previous, talks.current) == (talks.general, eva)
    talks.close(eva)
    assert (talks.previous, talks.current) == (talks.general, talks.general)


@pytest.mark.parametrize("what", ["a message", "an own message", "a failure", "a delivery"])
def test_what_the_user_has_to_see_opens_a_closed_conversation_again(what: str) -> None:
    talks, request = Conversations("ana"), Direct(to="luis", text="hola")
    luis = talks.add_outgoing(request, "luis", on(10))
    talks.close(luis)
    match what:
        case "a message":
            talks.add_direct(direct("hola"))
        case "an own message":
            talks.add_outgoing(Direct(to="luis", text="otra"), "luis", on(10))
        case "a failure":
            talks.mark_delivery(request, Delivery.UNKNOWN)
        case _:
            talks.mark_delivery(request, Delivery.DELIVERED)
    assert (luis in talks.listed) is (what != "a delivery")


# --- what is new ---------------------------------------------------------------------------------


def test_what_came_while_another_conversation_was_open_is_marked_until_that_is_left() -> None:
    talks = Conversations("ana")
    talks.add_direct(direct("first"))
    luis = talks.open("luis")
    talks.open(GENERAL)
    for text in ("one", "two"):
        talks.add_direct(direct(text))
    assert kinds(luis) == ["day", "first", "new", "one", "two"]
    talks.open("luis")
    talks.open("luis")  # again
    talks.add_direct(direct("three"))
    assert kinds(luis) == ["day", "first", "new", "one", "two", "three"]
    talks.open(GENERAL)
    assert kinds(luis) == ["day", "first", "one", "two", "three"]


def test_what_comes_while_the_user_looks_elsewhere_is_marked_once_in_each_absence() -> None:
    is_away = True
    talks = Conversations("ana", is_away=lambda: is_away)
    for text in ("one", "two", "three"):
        talks.add_message(message(text), is_new=True)
    assert kinds(talks.general) == ["day", "one", "two", "three"], "nothing is above the first"
    is_away = False
    talks.add_message(message("four"), is_new=True)
    is_away = True
    for text in ("five", "six"):
        talks.add_message(message(text), is_new=True)
    assert kinds(talks.general)[4:] == ["four", "new", "five", "six"]
    talks.open("luis")
    talks.open(GENERAL)
    talks.add_message(message("seven"), is_new=True)
    assert kinds(talks.general)[4:] == ["four", "five", "six", "new", "seven"]


def test_in_the_general_chat_only_what_others_say_is_new() -> None:
    talks = Conversations("ana")
    talks.add_message(message("old"), is_new=False)
    talks.open("luis")
    talks.add_message(message("older"), is_new=False)
    talks.add_message(message("mine", "ana"), is_new=True)
    assert talks.general.new_mark is None
    talks.add_message(message("new"), is_new=True)
    assert kinds(talks.general) == ["day", "old", "older", "mine", "new", "new"]


def kinds(conversation: Conversation) -> list[str]:
    """Return the texts, "day" for each day, and "new" for the mark."""
    marks = {Day: "day", New: "new"}
    return [e.text if isinstance(e, Said) else marks[type(e)] for e in conversation.entries]


# --- delivery ----------------------------------------------------------------------------------


def test_what_became_of_a_direct_message_stands_at_it() -> None:
    talks = Conversations("ana")
    first, second = (Direct(to="luis", text="hola") for _ in range(2))  # alike, but two
    for request in (first, second):
        talks.add_outgoing(request, "luis", on(10))
    luis = talks.open("luis")
    one, two = (entry for entry in luis.entries if isinstance(entry, Said))
    assert (one.own, one.sender, one.delivery) == (True, "ana", Delivery.SENDING)
    talks.mark_delivery(first, Delivery.FAILED, lambda: "why")
    assert (one.delivery, two.delivery) == (Delivery.FAILED, Delivery.SENDING)
    assert one.why is not None
    assert one.why() == "why"
    assert luis.pop_changed() == [one]
    talks.mark_delivery(first, Delivery.DELIVERED)
    assert (one.delivery, one.why) == (Delivery.DELIVERED, None)
    talks.mark_delivery(Direct(to="luis", text="hola"), Delivery.FAILED)  # of no message here
    assert luis.pop_changed() == [one]


def test_the_last_message_that_perhaps_has_not_arrived_can_be_sent_again() -> None:
    talks = Conversations("ana")
    requests = [Direct(to="luis", text=text) for text in ("one", "two", "three", "four")]
    for request in requests:
        talks.add_outgoing(request, "luis", on(10))
    luis = talks.with_name("luis")
    assert luis.undelivered is None
    for request, delivery in zip(
        requests,
        (Delivery.FAILED, Delivery.UNKNOWN, Delivery.DELIVERED, Delivery.SENDING),
        strict=True,
    ):
        talks.mark_delivery(request, delivery)
    for text, left_over in (("two", Delivery.DELIVERED), ("one", Delivery.DELIVERED)):
        assert luis.undelivered is not None
        assert luis.undelivered.text == text
        assert luis.undelivered.request is not None
        talks.mark_delivery(luis.undelivered.request, left_over)
    assert luis.undelivered is None


def test_the_oldest_number_is_that_of_the_oldest_message_that_has_one() -> None:
    conversation = Conversation(GENERAL)
    assert conversation.oldest_seq is None
    conversation.add(told("hola"))
    conversation.add(said("one", seq=7))
    conversation.add(said("two", seq=8))
    assert conversation.oldest_seq == 7
    conversation.add_older([said("zero", seq=6)])
    assert conversation.oldest_seq == 6


def test_only_the_general_chat_has_older_messages() -> None:
    assert Conversation(GENERAL).has_older
    assert not Conversation("luis").has_older


# --- the server's time ---------------------------------------------------------------------------


def sent(conversations: Conversations, text: str, minute: int) -> Direct:
    request = Direct(to="luis", text=text, nonce=text)
    conversations.add_outgoing(request, "luis", on(10, minute))
    return request


def heard(conversations: Conversations, text: str, minute: int, number: int = 10) -> None:
    time = on(number, minute)
    conversations.add_direct(DirectMessage(time=time, sender="luis", to="ana", text=text))


def placed(conversation: Conversation) -> list[Any]:
    """Return the texts and, for each day, the number that made it; not the mark of what is new."""
    days = {day(number).day: number for number in range(10, 13)}
    return [
        entry.text if isinstance(entry, Said) else days[entry.day]  # type: ignore[union-attr]
        for entry in conversation.entries
        if not isinstance(entry, New)
    ]


def test_a_delivered_message_stands_where_the_servers_time_puts_it() -> None:
    talks = Conversations("ana")
    request = sent(talks, "mine", 0)
    heard(talks, "before", 1)
    heard(talks, "after", 3)
    talk = talks.with_name("luis")
    talks.mark_delivery(request, Delivery.DELIVERED, time=on(10, 2))
    assert placed(talk) == [10, "before", "mine", "after"]
    assert talk.pop_reordered()
    assert not talk.pop_reordered()


def test_a_message_whose_place_is_right_stays_there() -> None:
    talks = Conversations("ana")
    request = sent(talks, "mine", 0)
    heard(talks, "after", 3)
    later = sent(talks, "on its way", 4)
    talk = talks.with_name("luis")
    talks.mark_delivery(request, Delivery.DELIVERED, time=on(10, 2))
    assert placed(talk) == [10, "mine", "after", "on its way"]
    assert not talk.pop_reordered()
    talks.mark_delivery(later, Delivery.FAILED)
    assert placed(talk) == [10, "mine", "after", "on its way"]


def test_what_is_on_its_way_stays_behind_what_was_delivered() -> None:
    talks = Conversations("ana")
    first, second = sent(talks, "one", 0), sent(talks, "two", 1)
    for number, request in enumerate((first, second)):
        talks.mark_delivery(request, Delivery.DELIVERED, time=on(10, 10 + number))
    assert placed(talks.with_name("luis")) == [10, "one", "two"]


def test_a_message_that_is_delivered_on_another_day_stands_below_that_day() -> None:
    talks = Conversations("ana")
    request = sent(talks, "mine", 0)
    heard(talks, "next day", 0, number=11)
    talks.mark_delivery(request, Delivery.DELIVERED, time=on(12))
    talk = talks.with_name("luis")
    assert placed(talk) == [11, "next day", 12, "mine"]
    assert talk.pop_reordered()


def test_times_that_are_none_change_no_place() -> None:
    talks = Conversations("ana")
    request = sent(talks, "mine", 0)
    heard(talks, "before", 1)
    talks.mark_delivery(request, Delivery.DELIVERED, time="soon")
    assert placed(talks.with_name("luis")) == [10, "mine", "before"]
