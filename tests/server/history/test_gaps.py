"""Gaps: the same as sets of numbers, in any order of gaps and fillings."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from tertulia.protocol.attendance import ListAttendance
from tertulia.protocol.messages import GetHistory, HistoryPage, Search, StoredMessage
from tertulia.server.history.gaps import (
    Gap,
    changes_between,
    first_whole,
    is_whole,
    touches,
    united,
    without,
)
from tertulia.server.hub.records import MissingMessages, Removed

stretches = st.builds(Gap, st.integers(0, 12), st.integers(0, 12))


def numbers(*gaps: Gap) -> set[int]:
    return {number for gap in gaps for number in range(gap.after + 1, gap.through + 1)}


@given(st.lists(st.tuples(st.booleans(), stretches)))
def test_gaps_are_united_and_filled_like_sets_of_numbers(steps):
    gaps, missing, rows = (), set(), {}
    for is_gap, stretch in steps:
        before = gaps
        if is_gap:
            gaps, missing = united(gaps, stretch), missing | numbers(stretch)
        else:
            gaps, missing = without(gaps, stretch), missing - numbers(stretch)
        assert numbers(*gaps) == missing
        assert list(gaps) == sorted(gaps)
        assert all(one.through < other.after for one, other in pairwise(gaps))
        for change in changes_between(MissingMessages, before, gaps):
            if isinstance(change, Removed):
                del rows[change.key]
            else:
                rows[change.key] = change.through
        assert rows == dict(gaps), "the rows of the file are changed alike"


@given(st.lists(stretches), stretches)
def test_the_first_whole_stretch_is_the_first_numbers_that_are_not_missing(stretches_, wanted):
    gaps = ()
    for stretch in stretches_:
        gaps = united(gaps, stretch)
    there = sorted(numbers(wanted) - numbers(*gaps))
    found = first_whole(gaps, wanted)
    if not there:
        assert found is None
        return
    whole = sorted(numbers(found))
    assert whole == there[: len(whole)]
    assert found.through in (wanted.through, *(gap.after for gap in gaps))


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (GetHistory(), True),
        (GetHistory(before=21), True),
        (GetHistory(before=12), True),
        (GetHistory(before=11), False),
        (GetHistory(after=19), True),
        (GetHistory(after=20), False),
        (GetHistory(after=5, before=11), False),
        (GetHistory(after=14, before=16), True),
        (Search(text="hola"), True),
        (Search(text="hola", before=11), False),
        (Search(text="hola", before=12), True),
        (ListAttendance(), False),
    ],
)
def test_a_request_touches_a_gap_if_its_answer_may_need_a_number_in_it(request_, expected):
    assert touches((Gap(10, 20),), (), request_) is expected
    assert not touches((), (), request_)


def test_the_attendance_may_need_any_visit():
    assert touches((), (Gap(10, 20),), ListAttendance())
    assert not touches((), (Gap(10, 20),), GetHistory())


def page_of(found: set[int], request: GetHistory) -> HistoryPage:
    after = -1 if request.after is UNSET else request.after
    before = 99 if request.before is UNSET else request.before
    seqs = sorted(seq for seq in found if after < seq < before)
    chosen = seqs[-request.limit :] if request.after is UNSET else seqs[: request.limit]
    messages = [StoredMessage(seq=seq, time="", sender="ana", text="") for seq in chosen]
    return HistoryPage(messages=messages, more=len(seqs) > request.limit)


edges = st.one_of(st.just(UNSET), st.integers(0, 14))


@given(st.lists(stretches), st.sets(st.integers(1, 12)), edges, edges, st.integers(1, 5))
def test_a_page_is_whole_only_if_it_is_that_of_a_file_without_gaps(
    stretches_, said, after, before, limit
):
    gaps = ()
    for stretch in stretches_:
        gaps = united(gaps, stretch)
    request = GetHistory(after=after, before=before, limit=limit)
    page = page_of(said - numbers(*gaps), request)
    if is_whole(gaps, (), request, page):
        assert page == page_of(said, request)
    else:
        assert touches(gaps, (), request)


def test_a_page_that_ends_above_a_gap_is_whole():
    gaps = (Gap(10, 20),)
    page = page_of(set(range(30)), GetHistory(limit=9))
    assert is_whole(gaps, (), GetHistory(limit=9), page)
    assert not is_whole(gaps, (), GetHistory(limit=10), page_of(set(range(30)), GetHistory()))
    page = page_of(set(range(30)), GetHistory(after=2, limit=8))
    assert is_whole(gaps, (), GetHistory(after=2, limit=8), page)
