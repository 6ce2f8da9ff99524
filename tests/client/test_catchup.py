"""The general chat is shown once and in order, however pages and live events come together."""

import random
from collections import deque
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import UNSET, UnsetType
from msgspec.structs import asdict, replace

from tertulia.client import catchup
from tertulia.client.catchup import CatchUp
from tertulia.protocol.messages import (
    MAX_PAGE,
    ChatMessage,
    Error,
    ErrorCode,
    Gap,
    GetHistory,
    HistoryPage,
    Joined,
    NumberedEvent,
    Status,
    StoredMessage,
    Welcome,
)

TIME = "2026-11-22T15:04:05.123Z"
FIRST_PAGE = 20


def new_welcome(seq: int = 10, epoch: str = "e") -> Welcome:
    return Welcome(
        name="ana", address="127.0.0.1", status=Status.ACTIVO, seq=seq, token="t", epoch=epoch,
        server="s", protocol=1, idle_after=120, max_text=16384,
    )  # fmt: skip


def message(seq: int, nonce: str | None = None, sender: str = "luis") -> ChatMessage:
    said = ChatMessage(seq=seq, time=TIME, sender=sender, text=f"text {seq}")
    return said if nonce is None else replace(said, nonce=nonce)


def joined(seq: int) -> Joined:
    return Joined(seq=seq, time=TIME, name="luis", status=Status.ACTIVO)


def page(*messages: ChatMessage, more: bool = False) -> HistoryPage:
    return HistoryPage(messages=[StoredMessage(**asdict(each)) for each in messages], more=more)


def answer(catch_up: CatchUp, *messages: ChatMessage, more: bool = False) -> list[int]:
    """Answer what is asked for; return the numbers of what can be shown."""
    assert catch_up.request is not None
    return numbers(catch_up.add_page(catch_up.request, page(*messages, more=more)))


def numbers(events: list[NumberedEvent]) -> list[int]:
    return [event.seq for event in events]


def after(seq: int, before: int) -> GetHistory:
    return GetHistory(after=seq, before=before, limit=MAX_PAGE)


def test_the_newest_page_comes_first_and_what_comes_live_waits_for_it() -> None:
    catch_up = CatchUp(new_welcome(10), FIRST_PAGE)
    assert catch_up.request == GetHistory(before=11, limit=FIRST_PAGE)
    assert catch_up.add_live(joined(11)) == []
    assert catch_up.add_live(message(12)) == []
    assert answer(catch_up, message(3), message(9), more=True) == [3, 9, 11, 12]
    assert catch_up.request is None
    assert catch_up.oldest_seq == 3
    assert numbers(catch_up.add_live(message(14))) == [14]


def test_the_oldest_event_stays_the_oldest_when_a_later_page_comes() -> None:
    catch_up = CatchUp(new_welcome(10), FIRST_PAGE)
    answer(catch_up, message(3), message(9))
    catch_up.resume(new_welcome(20))
    assert answer(catch_up, message(12)) == [12]
    assert catch_up.oldest_seq == 3


def test_without_a_first_page_nothing_is_asked_for() -> None:
    catch_up = CatchUp(new_welcome(10), 0)
    assert catch_up.request is None
    assert catch_up.oldest_seq == 11
    assert numbers(catch_up.add_live(message(11))) == [11]


def refusal(code: ErrorCode, last_message: int | UnsetType = UNSET) -> Error:
    return Error(code=code, message="no", seq=last_message)


def refuse(catch_up: CatchUp, last_message: int | UnsetType = UNSET) -> list[NumberedEvent | Gap]:
    """Refuse what is asked for, as a server without history."""
    assert catch_up.request is not None
    return catch_up.give_up(catch_up.request, refusal(ErrorCode.HISTORY_OFF, last_message))


def test_without_a_history_the_chat_goes_on_and_nothing_is_missing() -> None:
    catch_up = CatchUp(new_welcome(10), FIRST_PAGE)
    catch_up.add_live(message(11))
    assert catch_up.request is not None
    shown = catch_up.give_up(catch_up.request, refusal(ErrorCode.HISTORY_OFF))
    assert shown == [message(11)]
    assert catch_up.request is None
    assert catch_up.oldest_seq == 11


def test_a_first_page_that_cannot_be_read_leaves_a_gap_before_everything() -> None:
    catch_up = CatchUp(new_welcome(10), FIRST_PAGE)
    catch_up.add_live(message(11))
    assert catch_up.request is not None
    shown = catch_up.give_up(catch_up.request, refusal(ErrorCode.UNAVAILABLE))
    assert shown == [Gap(after=0, through=10), message(11)]


@pytest.mark.parametrize("code", [ErrorCode.HISTORY_OFF, ErrorCode.UNAVAILABLE])
def test_a_missed_page_that_is_refused_leaves_a_gap(code: ErrorCode) -> None:
    catch_up = CatchUp(new_welcome(10), 0)
    catch_up.add_live(Gap(after=10, through=20))
    catch_up.add_live(message(21))
    assert catch_up.request is not None
    shown = catch_up.give_up(catch_up.request, refusal(code))
    assert shown == [Gap(after=10, through=20), message(21)]
    assert catch_up.request is None
    assert catch_up.add_live(message(22)) == [message(22)]


def test_without_a_history_a_gap_in_which_nothing_was_said_is_none() -> None:
    catch_up = CatchUp(new_welcome(10), 0)
    catch_up.add_live(Gap(after=10, through=20))
    catch_up.add_live(joined(21))
    assert refuse(catch_up, last_message=10) == [joined(21)]
    catch_up.add_live(Gap(after=21, through=30))
    assert refuse(catch_up, last_message=22) == [Gap(after=21, through=30)]


@pytest.mark.parametrize(
    ("last_message", "shown"), [(8, []), (11, []), (12, [Gap(after=11, through=20)])]
)
def test_without_a_history_others_may_come_and_go_while_a_user_is_away(
    last_message: int, shown: list[Gap]
) -> None:
    catch_up = CatchUp(new_welcome(10), FIRST_PAGE)
    refuse(catch_up, last_message=8)
    catch_up.add_live(joined(11))
    catch_up.resume(new_welcome(20))
    assert catch_up.request == after(11, 21)
    assert refuse(catch_up, last_message=last_message) == shown


def test_without_a_history_what_was_said_since_a_restart_is_missing() -> None:
    catch_up = CatchUp(new_welcome(10), FIRST_PAGE)
    assert refuse(catch_up, last_message=8) == []  # said before this user came
    catch_up.resume(new_welcome(3, epoch="another"))
    assert refuse(catch_up, last_message=0) == []
    catch_up.resume(new_welcome(5, epoch="a third"))
    assert refuse(catch_up, last_message=4) == [Gap(after=0, through=5)]
    catch_up.resume(new_welcome(9, epoch="the server does not say"))
    assert refuse(catch_up) == []


def test_an_older_server_without_history_shows_by_its_numbers_that_nothing_is_missing() -> None:
    catch_up = CatchUp(new_welcome(10), 0)
    catch_up.resume(new_welcome(12))  # 11: joined, which did not arrive; 12: left
    assert refuse(catch_up) == []
    assert catch_up.add_live(joined(13)) == [joined(13)]
    catch_up.resume(new_welcome(14))  # 14: left
    assert refuse(catch_up) == []
    catch_up.resume(new_welcome(16))  # 15: joined; 16: left
    catch_up.resume(new_welcome(18))  # 17: joined; 18: left
    assert refuse(catch_up) == []
    catch_up.resume(new_welcome(21))  # one more than joined and left
    assert refuse(catch_up) == [Gap(after=18, through=21)]
    catch_up.add_live(Gap(after=21, through=22))
    assert refuse(catch_up) == [Gap(after=21, through=22)]


def test_the_own_joined_that_was_shown_explains_nothing_that_is_missing() -> None:
    catch_up = CatchUp(new_welcome(10), 0)
    catch_up.add_live(joined(11))  # this user's own
    catch_up.resume(new_welcome(13))  # 12: left; 13: what somebody else said
    assert refuse(catch_up) == [Gap(after=11, through=13)]


def test_a_connection_that_was_resumed_without_a_hole_explains_no_later_gap() -> None:
    catch_up = CatchUp(new_welcome(10), 0)
    catch_up.resume(new_welcome(10))
    catch_up.add_live(Gap(after=10, through=11))
    assert refuse(catch_up) == [Gap(after=10, through=11)]


def test_a_refusal_of_a_page_that_is_part_of_a_larger_hole_gives_nothing_up() -> None:
    catch_up = CatchUp(new_welcome(10), 0)
    catch_up.add_live(Gap(after=10, through=20))
    first = catch_up.request
    assert first is not None
    catch_up.add_live(Gap(after=20, through=30))
    assert catch_up.give_up(first, refusal(ErrorCode.UNAVAILABLE)) == []
    assert catch_up.request == after(10, 31)


def test_a_gap_is_filled_page_by_page_before_what_came_after_it() -> None:
    catch_up = CatchUp(new_welcome(10), 0)
    catch_up.add_live(message(11))
    assert catch_up.add_live(Gap(after=11, through=500)) == []
    assert catch_up.request == after(11, 501)
    assert catch_up.add_live(message(501)) == []
    assert answer(catch_up, message(12), message(300), more=True) == [12, 300]
    assert catch_up.request == after(300, 501)
    assert answer(catch_up, message(400)) == [400, 501]
    assert catch_up.request is None


def test_a_second_gap_while_the_first_is_filled_is_filled_too() -> None:
    catch_up = CatchUp(new_welcome(10), 0)
    catch_up.add_live(Gap(after=10, through=20))
    first = catch_up.request
    assert first is not None
    catch_up.add_live(message(21))
    catch_up.add_live(Gap(after=21, through=30))
    assert catch_up.add_page(first, page(message(15))) == []
    assert catch_up.request == after(10, 31)
    catch_up.add_live(message(31))
    assert answer(catch_up, message(15), message(21)) == [15, 21, 31]


def test_a_lost_connection_leaves_a_hole_that_is_filled() -> None:
    catch_up = CatchUp(new_welcome(10), 0)
    catch_up.add_live(message(11))
    catch_up.resume(new_welcome(20))
    assert catch_up.request == after(11, 21)
    assert catch_up.add_live(joined(21)) == []
    assert answer(catch_up, message(12), message(20)) == [12, 20, 21]


def test_a_connection_lost_while_a_page_was_awaited_begins_where_the_last_one_ended() -> None:
    catch_up = CatchUp(new_welcome(10), 0)
    catch_up.add_live(Gap(after=10, through=500))
    answer(catch_up, message(12), more=True)
    catch_up.add_live(message(501))  # kept back, and lost with the connection
    catch_up.resume(new_welcome(600))
    assert catch_up.request == after(12, 601)
    assert answer(catch_up, message(400), message(501)) == [400, 501]


def test_nothing_missed_is_nothing_asked_for() -> None:
    catch_up = CatchUp(new_welcome(10), 0)
    catch_up.add_live(message(11))
    catch_up.resume(new_welcome(11))
    assert catch_up.request is None
    assert numbers(catch_up.add_live(message(12))) == [12]


def test_a_page_of_the_connection_before_is_not_taken_for_the_new_ones() -> None:
    catch_up = CatchUp(new_welcome(10), 0)
    catch_up.add_live(Gap(after=10, through=20))
    old = catch_up.request
    assert old is not None
    catch_up.resume(new_welcome(30))
    assert catch_up.add_page(old, page(message(15))) == []
    assert answer(catch_up, message(15), message(25)) == [15, 25]


def test_another_numbering_begins_anew_and_its_small_numbers_are_shown() -> None:
    catch_up = CatchUp(new_welcome(1_000), 0)
    catch_up.add_live(message(1_001))
    catch_up.resume(new_welcome(5, epoch="another"))
    assert answer(catch_up) == []
    assert catch_up.request is None
    assert catch_up.oldest_seq == 6
    assert numbers(catch_up.add_live(message(6))) == [6]


@pytest.fixture
def renumbered() -> CatchUp:
    """A bot's chat that goes on in another numbering, whose last number is 5."""
    catch_up = CatchUp(new_welcome(1_000), 0)
    catch_up.add_live(message(1_001))
    catch_up.add_live(joined(1_002))
    catch_up.resume(new_welcome(5, epoch="another"))
    assert catch_up.request == GetHistory(before=6, limit=1)
    return catch_up


def look_of(catch_up: CatchUp) -> GetHistory:
    assert catch_up.request is not None
    return catch_up.request


def test_a_bot_is_told_that_it_may_have_missed_something_in_another_numbering(
    renumbered: CatchUp,
) -> None:
    assert renumbered.add_live(message(6)) == []
    assert renumbered.add_page(look_of(renumbered), page(message(4), more=True)) == [
        Gap(after=0, through=5),
        message(6),
    ]
    assert renumbered.request is None
    assert renumbered.oldest_seq == 6, "nothing before it was shown"


@pytest.mark.parametrize("newest", [[], [message(1_001)], [replace(message(1_001), seq=3)]])
def test_a_bot_that_has_shown_the_newest_message_has_missed_nothing(
    renumbered: CatchUp, newest: list[ChatMessage]
) -> None:
    renumbered.add_live(joined(6))
    assert answer(renumbered, *newest, more=bool(newest)) == [6]


def test_a_bot_that_has_shown_nothing_yet_may_have_missed_something() -> None:
    catch_up = CatchUp(new_welcome(1_000), 0)
    assert catch_up.request is None
    catch_up.resume(new_welcome(5, epoch="another"))
    assert catch_up.add_page(look_of(catch_up), page(message(5))) == [Gap(after=0, through=5)]


def test_a_look_that_was_not_answered_is_made_again(renumbered: CatchUp) -> None:
    assert not renumbered.resume(new_welcome(9, epoch="another"))
    assert renumbered.request == GetHistory(before=10, limit=1)
    renumbered.resume(new_welcome(9, epoch="another"))
    assert renumbered.add_page(look_of(renumbered), page(message(8))) == [Gap(after=0, through=9)]
    renumbered.resume(new_welcome(12, epoch="another"))
    assert renumbered.request == after(9, 13)


@pytest.mark.parametrize("code", [ErrorCode.UNAVAILABLE, ErrorCode.HISTORY_OFF])
def test_a_look_that_is_refused_leaves_a_gap_if_there_may_be_messages(
    renumbered: CatchUp, code: ErrorCode
) -> None:
    error = Error(code=code, message="no", seq=4)
    assert renumbered.give_up(look_of(renumbered), error) == [Gap(after=0, through=5)]
    assert numbers(renumbered.add_live(message(6))) == [6]


def test_without_a_history_a_bot_has_missed_nothing_if_nobody_spoke(renumbered: CatchUp) -> None:
    assert refuse(renumbered, last_message=0) == []


@pytest.mark.parametrize(
    "seen",
    [
        pytest.param([message(1_001)], id="events"),
        pytest.param([Gap(after=1_000, through=1_001)], id="a gap"),
        pytest.param([Gap(after=1_000, through=1_000), message(1_001)], id="what waits"),
    ],
)
@pytest.mark.parametrize(
    ("seq", "is_renumbered"), [(1_000, True), (1_001, False), (1_002, False), (0, True)]
)
def test_numbers_that_went_back_are_another_numbering(
    seen: list[NumberedEvent | Gap], seq: int, is_renumbered: bool
) -> None:
    catch_up = CatchUp(new_welcome(1_000), 0)
    for event in seen:
        catch_up.add_live(event)
    assert catch_up.resume(new_welcome(seq)) is is_renumbered
    if is_renumbered:
        assert answer(catch_up) == []
        assert catch_up.oldest_seq == seq + 1
        assert numbers(catch_up.add_live(message(seq + 1))) == [seq + 1]


def test_numbers_that_went_back_below_an_earlier_welcome_are_another_numbering() -> None:
    catch_up = CatchUp(new_welcome(10), 0)
    assert not catch_up.resume(new_welcome(20))
    assert catch_up.resume(new_welcome(19))
    assert not catch_up.resume(new_welcome(19))


def test_what_another_numbering_still_has_is_not_shown_again() -> None:
    catch_up = CatchUp(new_welcome(10), FIRST_PAGE)
    answer(catch_up, message(9, "a"))
    catch_up.add_live(message(11, "b"))
    catch_up.resume(new_welcome(10, epoch="of the backup"))
    assert answer(catch_up, message(9, "a"), message(10, "c")) == [10]


def test_what_was_kept_back_is_not_mixed_with_another_numbering() -> None:
    catch_up = CatchUp(new_welcome(1_000), 0)
    catch_up.add_live(Gap(after=1_000, through=1_010))
    catch_up.add_live(message(1_011))
    catch_up.resume(new_welcome(5, epoch="another"))
    assert answer(catch_up) == []
    catch_up.add_live(Gap(after=5, through=7))
    assert answer(catch_up, message(7)) == [7]
    assert numbers(catch_up.add_live(message(8))) == [8]


def test_a_terminal_is_given_the_newest_page_of_another_numbering() -> None:
    catch_up = CatchUp(new_welcome(1_000), FIRST_PAGE)
    answer(catch_up, message(999))
    catch_up.resume(new_welcome(5, epoch="another"))
    assert catch_up.request == GetHistory(before=6, limit=FIRST_PAGE)
    assert answer(catch_up, message(2), message(5)) == [2, 5]
    assert catch_up.oldest_seq == 2


def test_what_is_said_again_under_its_nonce_is_shown_once() -> None:
    catch_up = CatchUp(new_welcome(10), 0)
    assert numbers(catch_up.add_live(message(11, "n"))) == [11]
    catch_up.resume(new_welcome(20))
    assert answer(catch_up, message(15, "n"), message(16, "m")) == [16]
    assert catch_up.add_live(message(21, "m")) == []


def test_what_is_said_again_after_another_numbering_began_is_shown_once() -> None:
    catch_up = CatchUp(new_welcome(10), 0)
    catch_up.add_live(message(11, "n"))
    catch_up.resume(new_welcome(3, epoch="another"))
    assert answer(catch_up) == []
    assert catch_up.add_live(message(5, "n")) == []


def test_the_same_nonce_of_two_people_is_two_messages() -> None:
    catch_up = CatchUp(new_welcome(10), 0)
    shown = [
        *catch_up.add_live(message(11, "1", "luis")),
        *catch_up.add_live(message(12, "1", "eva")),
    ]
    assert numbers(shown) == [11, 12]


def test_older_pages_go_further_back_each_time() -> None:
    catch_up = CatchUp(new_welcome(10), 0)
    catch_up.add_older_page(page(message(8), message(10), more=True))
    assert catch_up.oldest_seq == 8
    catch_up.add_older_page(page(message(2)))
    assert catch_up.oldest_seq == 2
    catch_up.add_older_page(page())
    assert catch_up.oldest_seq == 2


def test_more_than_can_be_kept_back_is_fetched_instead(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catchup, "_MAX_WAITING", 3)
    catch_up = CatchUp(new_welcome(10), 0)
    catch_up.add_live(Gap(after=10, through=20))
    for seq in range(21, 25):
        catch_up.add_live(message(seq))
    assert catch_up.request == after(10, 25)
    catch_up.add_live(message(25))
    assert catch_up.request == after(10, 25), "no more than what was dropped"
    assert answer(catch_up, *(message(seq) for seq in range(15, 25))) == [*range(15, 26)]


class SimulatedServer:
    """A log with holes in its numbers, a history, and one connection that breaks and falls behind.

    Live events travel in `wire` together with the answers, so the client takes them interleaved.
    """

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._log: list[NumberedEvent] = []
        self._ids = count()
        self.last_seq = 0
        self.wire: deque[NumberedEvent | Gap | tuple[GetHistory, HistoryPage]] = deque()

    @property
    def messages(self) -> list[ChatMessage]:
        return [event for event in self._log if isinstance(event, ChatMessage)]

    def happen(self, *, is_message: bool, gap: bool) -> None:
        """Let something happen; the connection is told, or falls behind and is told so."""
        before = self.last_seq
        self.last_seq += self._chance.choice([1, 1, 1, 2, 50])
        nonce = f"n{next(self._ids)}"
        event = message(self.last_seq, nonce) if is_message else joined(self.last_seq)
        self._log.append(event)
        self.wire.append(Gap(after=before, through=self.last_seq) if gap else event)

    def repeat(self) -> None:
        """Let what was said be said again under its nonce, as after a crash."""
        if self.messages:
            self.last_seq += 1
            again = replace(self._chance.choice(self.messages), seq=self.last_seq)
            self._log.append(again)
            self.wire.append(again)

    def reconnect(self) -> Welcome:
        self.wire.clear()
        self.last_seq += self._chance.choice([0, 1, 1_000])
        return new_welcome(self.last_seq)

    def answer(self, request: GetHistory) -> None:
        low = 0 if request.after is UNSET else request.after
        assert request.before is not UNSET
        wanted = [said for said in self.messages if low < said.seq < request.before]
        # A page may hold less than its limit: it is bounded in bytes, too.
        limit = min(request.limit, self._chance.randint(1, 5))
        taken = wanted[-limit:] if request.after is UNSET else wanted[:limit]
        self.wire.append((request, page(*taken, more=len(taken) < len(wanted))))


STEPS = st.sampled_from(
    ["message", "message", "message", "joined", "gap", "repeat", "request", "deliver", "deliver",
     "lose"]
)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(
    steps=st.lists(STEPS, max_size=120),
    seed=st.integers(0, 2**32),
    first_page=st.sampled_from([0, 3, FIRST_PAGE]),
)
def test_every_message_is_shown_once_and_in_order_whatever_happens(
    steps: list[str], seed: int, first_page: int
) -> None:
    server = SimulatedServer(random.Random(seed))
    for _time in range(5):  # said before this user came
        server.happen(is_message=True, gap=False)
    welcome = server.reconnect()
    catch_up = CatchUp(welcome, first_page)
    asked: GetHistory | None = None
    shown: list[NumberedEvent] = []

    def deliver() -> None:
        nonlocal asked
        came = server.wire.popleft()
        if isinstance(came, tuple):
            asked = None
            shown.extend(catch_up.add_page(*came))
        else:
            shown.extend(catch_up.add_live(came))

    def ask() -> None:
        nonlocal asked
        if asked is None and catch_up.request is not None:
            asked = catch_up.request
            server.answer(asked)

    for step in steps:
        if step in ("message", "joined", "gap"):
            server.happen(is_message=step != "joined", gap=step == "gap")
        elif step == "repeat":
            server.repeat()
        elif step == "request":
            ask()
        elif step == "lose":
            asked = None
            catch_up.resume(server.reconnect())
        elif server.wire:
            deliver()
    while server.wire or catch_up.request is not None:
        ask()
        if server.wire:
            deliver()

    shown_messages = [event for event in shown if isinstance(event, ChatMessage)]
    shown_nonces = [said.nonce for said in shown_messages]
    assert numbers(shown) == sorted({event.seq for event in shown})
    assert len(shown_nonces) == len(set(shown_nonces))
    said_while_here = {said.nonce for said in server.messages if said.seq > welcome.seq}
    assert said_while_here <= set(shown_nonces)
    said_before = set(shown_nonces) - said_while_here
    assert first_page or not said_before
