"""The list of people: its filter, its title, and what stands in it while it is empty."""

import pytest
from plain_table import Clock
from table import ChatTable
from textual.events import Paste

from tertulia.i18n import set_language
from tertulia.protocol.messages import GetInfo, Status
from tertulia.tls.fingerprint import Fingerprint
from tertulia.tui.widgets.peoplepane import FILTER_FROM


@pytest.mark.parametrize(
    ("language", "alone", "no_talks"),
    [
        ("en", "Nobody else is here yet", "To write to one"),
        ("es", "Todavía no hay nadie más", "Para escribir"),
    ],
)
def test_empty_lists_say_what_can_be_done(
    clock: Clock, language: str, alone: str, no_talks: str
) -> None:
    set_language(language)

    async def scenario(table: ChatTable) -> None:
        assert alone in " ".join(table.item("#nobody-else").split())
        assert "192.168.1.10 5000" in table.item("#nobody-else")
        assert table.item("#no-conversations").startswith(no_talks)
        await table.hear(table.joined("eva"), table.direct("psst", "eva"))
        assert table.item("#nobody-else") == table.item("#no-conversations") == ""
        await table.hear(table.left("eva"))
        assert alone in table.item("#nobody-else")

    ChatTable(clock, people={"ana": Status.ACTIVO}).run(scenario)


def test_the_command_for_others_has_tls_where_this_user_has_it(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        assert table.item("#nobody-else").endswith("192.168.1.10 5000 --tls")

    table = ChatTable(clock, people={"ana": Status.ACTIVO})
    table.client.fingerprint = Fingerprint(bytes(32))
    table.run(scenario)


def test_a_filter_without_a_match_says_so(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        await table.press("f3", "x", "y")
        assert table.item("#nobody-else") == "No name contains “xy”. Esc: show everyone."
        await table.press("escape")
        assert table.item("#nobody-else") == ""

    ChatTable(clock).run(scenario)


def test_the_arrows_go_on_from_the_filter_to_the_list(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        await table.hear(*[table.joined(f"user{number}") for number in range(5)])
        await table.press("f3", "u", "s", "e", "r", "down", "down", "enter")
        assert [request.name for request in table.client.sent_of(GetInfo)] == ["user2"]

    ChatTable(clock).run(scenario)


def test_letters_typed_among_many_people_filter_them(clock: Clock) -> None:
    people = {f"{stem}{number}": Status.ACTIVO for stem in ("al", "be") for number in range(10)}

    async def scenario(table: ChatTable) -> None:
        await table.press("f3", "b", "e", "3")
        assert [row.key for row in table.app.main.people_list.rows] == ["be3"]
        await table.press("enter")
        assert table.client.sent_of(GetInfo) == [GetInfo(name="be3")]
        await table.press("escape", "escape")
        assert len(table.app.main.people_list.rows) == len(table.people)

    ChatTable(clock, people={"ana": Status.ACTIVO} | people).run(scenario)


def crowd(count: int) -> dict[str, Status]:
    return {"ana": Status.ACTIVO} | {f"user{n}": Status.ACTIVO for n in range(1, count)}


def test_the_filter_is_shown_from_fifteen_people_on_and_while_it_has_letters(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        people_filter = table.app.main.filter
        assert not people_filter.display
        await table.hear(table.joined("eva"))
        assert people_filter.display
        await table.hear(table.left("eva"))
        assert not people_filter.display
        people_filter.value = "user1"
        await table.settle()
        assert people_filter.display

    ChatTable(clock, people=crowd(FILTER_FROM - 1)).run(scenario)


def test_without_a_connection_nobody_is_counted_or_invited(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        assert table.title("#right") == "1 person"
        await table.lose()
        assert table.title("#right") == "People"
        assert table.item("#nobody-else") == ""
        table.app.main.filter.value = "x"
        await table.settle()
        assert table.item("#nobody-else").startswith("No name contains “x”.")

    table = ChatTable(clock, people=crowd(1))
    table.client.fingerprint = Fingerprint(bytes(32))
    table.run(scenario)


def test_the_list_is_as_high_as_its_rows_only_if_words_stand_below_it(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        people = table.app.main.people_list
        assert people.size.height == 2
        assert table.item("#nobody-else").endswith("192.168.1.10 5000")
        await table.hear(table.joined("eva"))
        assert people.size.height > 3

    ChatTable(clock, people=crowd(1)).run(scenario)


def test_before_there_is_a_connection_the_pane_can_be_filtered_and_translated(
    clock: Clock,
) -> None:
    async def scenario(table: ChatTable) -> None:
        table.app.main.filter.value = "x"
        await table.settle()
        set_language("es")
        table.app.main.people_pane.translate()
        assert table.title("#right") == "Gente"
        assert table.item("#nobody-else") == ""

    ChatTable(clock, connected=False).run(scenario)


def test_the_keys_of_the_list_work_in_the_filter_and_letters_stay_in_it(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        main = table.app.main
        for key, name in (("down", "user1"), ("pagedown", "user1"), ("up", "ana")):
            main.people_list.highlight("ana")
            main.set_focus(main.filter)
            await table.press(key)
            assert main.focused is main.people_list
            assert main.people_list.highlighted == name
        main.people_list.highlight("user1")
        main.set_focus(main.filter)
        await table.press("pageup")
        assert main.people_list.highlighted == "ana"
        main.set_focus(main.filter)
        await table.press("a", "home", "n")
        assert main.filter.value == "na"
        assert main.focused is main.filter

    ChatTable(clock, people=crowd(20)).run(scenario)


def test_a_field_of_text_takes_a_line_but_leaves_several_to_the_composer(clock: Clock) -> None:
    people = {f"user{number}": Status.ACTIVO for number in range(20)}

    async def scenario(table: ChatTable) -> None:
        await table.press("f3", "u")
        table.app.post_message(Paste("ser1"))
        await table.settle()
        assert table.app.main.filter.value == "user1"
        assert table.composer.text == ""
        table.app.post_message(Paste("uno\ndos"))
        await table.settle()
        assert table.composer.text == "uno\ndos"

    ChatTable(clock, people={"ana": Status.ACTIVO, **people}).run(scenario)
