"""Whom the person ignores: what is hidden, and what is kept for the next run."""

from pathlib import Path

import pytest

from tertulia.chat.ignored import Ignored
from tertulia.protocol.envelope import StoredMessage
from tertulia.protocol.messages import HistoryPage


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "ignored.json"


def test_every_spelling_of_the_name_is_hidden_and_counted(path: Path) -> None:
    ignored = Ignored("ana", "h 5000", path)
    assert not ignored.hides("maria")
    assert ignored.add("María") == (
        "You no longer see what María writes. /unignore María ends that."
    )
    assert ignored.hides("maria")
    assert ignored.hides("MARÍA")
    assert not ignored.hides("mario")
    assert ignored.lines() == ["María: 2 messages hidden"]
    assert ignored.remove("maria") == ("You see again what maria writes. 2 messages were hidden.")
    assert not ignored.hides("maria")
    assert ignored.lines() == ["You ignore nobody."]
    ignored.add("María")
    assert ignored.lines() == ["María: 0 messages hidden"]


def test_it_is_kept_for_this_server_alone(path: Path) -> None:
    Ignored("ana", "h 5000", path).add("luis")
    Ignored("ana", "other 5000", path).add("eva")
    assert "luis" in Ignored("ana", "h 5000", path)
    assert "luis" not in Ignored("ana", "other 5000", path)
    assert path.stat().st_mode & 0o777 == 0o600
    Ignored("ana", "h 5000", path).remove("Luis")
    assert "luis" not in Ignored("ana", "h 5000", path)
    assert "eva" in Ignored("ana", "other 5000", path)
    assert "h 5000" not in path.read_text(), "an empty list is not kept"


def test_several_servers_of_one_chat_have_the_same_list(path) -> None:
    Ignored("ana", "h 5000", path).add("luis")
    Ignored("ana", "other 5000", path).add("eva")
    both = Ignored("ana", ["h 5000", "other 5000"], path)
    assert "luis" in both
    assert "eva" in both
    both.remove("luis")
    both.add("leo")
    for server in ("h 5000", "other 5000"):
        kept = Ignored("ana", server, path)
        assert ["luis" in kept, "eva" in kept, "leo" in kept] == [False, True, True]


def test_nobody_ignores_themselves_and_nothing_changes_twice(path: Path) -> None:
    ignored = Ignored("ana", "h 5000", path)
    assert ignored.add("Ana") == "You cannot ignore yourself."
    assert not ignored.hides("ana")
    assert ignored.remove("luis") == "You do not ignore luis."
    ignored.add("luis")
    assert ignored.add("LUIS") == "You ignore LUIS already."


def test_who_comes_under_an_ignored_name_sees_what_they_write_themselves(path: Path) -> None:
    Ignored("ana", "h 5000", path).add("luis")
    ignored = Ignored("luis", "h 5000", path)
    assert not ignored.hides("luis")
    own = HistoryPage(messages=[StoredMessage(seq=1, time="", sender="luis", text="x")], more=True)
    assert ignored.without(own) == own


def test_pages_of_the_history_lack_what_is_hidden(path: Path) -> None:
    ignored = Ignored("ana", "h 5000", path)
    messages = [
        StoredMessage(seq=seq, time="", sender=sender, text="x")
        for seq, sender in enumerate(["luis", "eva", "LUIS"])
    ]
    page = HistoryPage(messages=messages, more=True)
    assert ignored.without(page) is page
    ignored.add("luis")
    assert ignored.without(page) == HistoryPage(messages=messages[1:2], more=True)


def test_a_file_that_cannot_be_read_stays_as_it_is_and_the_choice_holds_for_now(
    path: Path,
) -> None:
    path.parent.mkdir()
    path.write_text("{")
    ignored = Ignored("ana", "h 5000", path)
    assert ignored.problem.startswith(
        f"The list of people you ignore could not be read from {path} ("
    )
    assert "This will not be remembered" in ignored.add("luis")
    assert ignored.hides("luis")
    assert path.read_text() == "{"
