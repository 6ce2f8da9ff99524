"""The way of a line from Enter to the screen, as ARCHITECTURE.md describes it to newcomers."""

import itertools
import re
import sys
from importlib import import_module
from operator import attrgetter
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from plain_table import Clock
from table import ChatTable

import tertulia
from tertulia.tui.model.conversations import GENERAL

SOURCE = Path(tertulia.__file__).parent
# A message for everyone comes back as an event, a direct message stands there before it is sent.
ONLY_OF_DIRECTS = {"ChatModel.send_direct", "ChatModel.show_delivery"}
ONLY_OF_EVENTS = {"Chat._show", "ChatModel.show_message", "Conversations.add_message"}
DRAWING = ("tui/widgets/", "tui/painting/", "tui/terminal/")
# How many files a newcomer to the code may have to open, and how often to go from one to another.
MOST_FILES, MOST_CHANGES = 14, 122


def page() -> str:
    return (SOURCE.parents[1] / "ARCHITECTURE.md").read_text()


def written() -> str:
    """Return the list in ARCHITECTURE.md."""
    return page().partition("## The way of a line")[2].partition("\n1. ")[2].partition("\n\n")[0]


def places() -> list[tuple[str, str]]:
    """Return the files of the list with their functions, in the list's order."""
    pattern = r"`([a-z/]+\.py)`\s+`(\w+(?:\.\w+)?)`|`([A-Z]\w+\.\w+)`"
    named = re.findall(pattern, written())
    found: list[tuple[str, str]] = []
    for file, method, another in named:
        found.append((file or found[-1][0], method or another))
    return found


def below() -> str:
    """Return what stands below the list."""
    return page().partition(written())[2].lstrip()


def test_every_place_on_the_way_of_a_line_exists() -> None:
    assert len(places()) > 20
    for file, method in places():
        attrgetter(method)(import_module(f"tertulia.{file[:-3].replace('/', '.')}"))


def test_the_way_of_a_line_is_read_in_as_few_files_as_is_said() -> None:
    files = len({file for file, _ in places()})
    changes = sum(one[0] != another[0] for one, another in itertools.pairwise(places()))
    assert below().startswith(f"These are {files} files, with {changes} changes of file.")
    assert files <= MOST_FILES
    assert changes <= MOST_CHANGES


@pytest.mark.parametrize(
    ("conversation", "left_out"), [(GENERAL, ONLY_OF_DIRECTS), ("luis", ONLY_OF_EVENTS)]
)
def test_a_line_goes_its_way_in_the_order_of_the_list(
    clock: Clock, conversation: str, left_out: set[str]
) -> None:
    called: list[tuple[str, str]] = []

    def note_call(frame: FrameType, event: str, _argument: Any) -> None:
        file = Path(frame.f_code.co_filename)
        if event == "call" and file.is_relative_to(SOURCE):
            called.append((file.relative_to(SOURCE).as_posix(), frame.f_code.co_qualname))

    async def scenario(table: ChatTable) -> None:
        table.app.controller.navigation.open(conversation)
        table.composer.insert("hola")
        before = sys.getprofile()
        sys.setprofile(note_call)
        try:
            await table.press("enter")
            await table.until(lambda: not table.composer.text and "hola" in table.shown)
        finally:
            sys.setprofile(before)

    ChatTable(clock).run(scenario)
    calls = iter(called)
    # There is no client here, but one that answers at once.
    wanted = [p for p in places() if p[1] not in left_out and not p[0].startswith("client/")]
    missed = next((place for place in wanted if place not in calls), None)
    assert missed is None
    told = set(re.findall(r"`([a-z0-9_/]+\.py)`", below().partition("\n\n")[0]))
    on_the_way = {file for file, _ in places()}
    assert {file for file, _ in called if not file.startswith(DRAWING)} - on_the_way <= told
