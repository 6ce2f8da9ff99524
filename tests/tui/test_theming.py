"""The colours that are chosen: by the user, or by the terminal's background."""

from typing import Any

import pytest
from plain_table import Clock
from table import ChatTable

from tertulia.chat import settings
from tertulia.chat.settings import Loaded, Settings
from tertulia.tui.terminal.abilities import Abilities, Colours
from tertulia.tui.terminal.background import QUESTION
from tertulia.tui.terminal.parser import BackgroundReported

pytestmark = pytest.mark.long


def is_dark(table: ChatTable) -> bool:
    return table.app.current_theme.dark


def test_a_chosen_theme_is_kept_for_the_next_time(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        await table.enter("/tema claro")
        assert not is_dark(table)
        assert settings.load().settings.theme == "light"
        await table.press("f8")
        assert is_dark(table)
        assert settings.load().settings.theme == "dark"
        await table.enter("/theme")
        assert settings.load().settings.theme == "light"

    ChatTable(clock).run(scenario)


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_a_kept_theme_holds_whatever_the_terminal_says(clock: Clock, theme: Any) -> None:
    async def scenario(table: ChatTable) -> None:
        assert is_dark(table) is (theme == "dark")
        table.app.post_message(BackgroundReported(is_dark=theme != "dark"))
        await table.settle()
        assert is_dark(table) is (theme == "dark")

    loaded = Loaded(Settings(theme=theme))
    ChatTable(clock, loaded=loaded, dark=theme != "dark").run(scenario)


def test_a_late_answer_of_the_terminal_changes_the_theme(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        assert is_dark(table)
        table.app.post_message(BackgroundReported(is_dark=False))
        await table.until(lambda: not is_dark(table))

    ChatTable(clock).run(scenario)


def test_auto_asks_the_terminal_again(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        written: list[str] = []
        assert table.app._driver is not None
        table.app._driver.write = written.append  # type: ignore[method-assign]
        await table.enter("/theme light")
        assert QUESTION not in written
        await table.enter("/theme auto")
        assert QUESTION in written
        assert is_dark(table)
        assert table.hint == "The colours are those that fit the terminal."
        assert settings.load().settings.theme == "auto"

    ChatTable(clock).run(scenario)


def test_a_terminal_that_does_not_know_the_question_is_not_asked_again(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        written: list[str] = []
        assert table.app._driver is not None
        table.app._driver.write = written.append  # type: ignore[method-assign]
        await table.enter("/theme auto")
        assert QUESTION not in written

    ChatTable(clock, terminal=Abilities(obeys_osc=False)).run(scenario)


def test_the_colours_are_those_that_the_terminal_has(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        assert table.app.theme == "tertulia-dark-16"
        await table.press("f8")
        assert table.app.theme == "tertulia-light-16"

    ChatTable(clock, terminal=Abilities(colours=Colours.FEW)).run(scenario)
