"""The composer, driven by what a terminal sends."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, ClassVar

import pytest
from textual import events
from textual._xterm_parser import XTermParser
from textual.app import App, ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.message import Message
from textual.pilot import Pilot
from textual.widgets import Input

from tertulia.chat.completion import Completion, complete
from tertulia.tui.widgets.composer import MAX_COMPOSER_BYTES, Composer

NAMES = ["luis", "lucía", "ana"]
UP, DOWN, LEFT, RIGHT, HOME, END = (f"\x1b[{final}" for final in "ABDCHF")
SHIFT_TAB = "\x1b[Z"
CTRL_A, CTRL_E, CTRL_K, CTRL_U, CTRL_W, CTRL_Y, CTRL_Z = "\x01\x05\x0b\x15\x17\x19\x1a"
BACKSPACE = "\x7f"
APP_KEYS = {
    "ctrl+c": "\x03", "ctrl+q": "\x11", "escape": "\x1b\x1b", "f1": "\x1bOP", "f6": "\x1b[17~",
    "f7": "\x1b[18~", "pageup": "\x1b[5~", "pagedown": "\x1b[6~", "ctrl+pageup": "\x1b[5;5~",
    "ctrl+pagedown": "\x1b[6;5~", "alt+up": "\x1b[1;3A", "alt+down": "\x1b[1;3B",
    "alt+left": "\x1b[1;3D", "alt+a": "\x1b[97;3u",
}  # fmt: skip


class Room(App[None]):
    """An app with little more than a composer, which takes what is submitted."""

    BINDINGS: ClassVar = [
        Binding(key, f"note({key!r})", show=False) for key in [*APP_KEYS, "ctrl+d"]
    ]

    def __init__(self, answer: Callable[[str], Completion]) -> None:
        super().__init__()
        self.composer = Composer(answer, self.submit)
        self.takes = True
        self.sent: list[str] = []
        self.posted: list[Message] = []
        self.noted: list[str] = []

    def compose(self) -> ComposeResult:
        yield Input()
        with Vertical():
            yield self.composer

    def on_mount(self) -> None:
        self.composer.focus()

    def action_note(self, key: str) -> None:
        self.noted.append(key)

    def submit(self, text: str) -> None:
        self.sent.append(text)
        if self.takes:
            self.composer.accept()

    def on_composer_candidates(self, message: Composer.Candidates) -> None:
        self.posted.append(message)

    def on_composer_pasted(self, message: Composer.Pasted) -> None:
        self.posted.append(message)

    def on_composer_paste_too_long(self, message: Composer.PasteTooLong) -> None:
        self.posted.append(message)

    def last(self, kind: type[Message]) -> Any:
        return [message for message in self.posted if isinstance(message, kind)][-1]


class User:
    """Whoever sits at the terminal."""

    def __init__(self, room: Room, pilot: Pilot[None]) -> None:
        self.room, self.pilot = room, pilot
        self.composer = room.composer
        self._terminal = XTermParser()

    async def types(self, data: str) -> None:
        """Send what a terminal sends, in one piece."""
        for event in self._terminal.feed(data):
            self.room.post_message(event)
        await self.settled()

    async def pastes(self, text: str) -> None:
        self.room.post_message(events.Paste(text))
        await self.settled()

    async def settled(self) -> None:
        """Wait until what was typed has come in, and what was posted has gone up."""
        for _ in range(8):
            await self.pilot.pause()

    @property
    def text(self) -> str:
        return self.composer.text

    @property
    def cursor(self) -> tuple[int, int]:
        return self.composer.cursor_location


Play = Callable[[User], Awaitable[None]]


def answer_names(before: str) -> Completion:
    return complete(before, NAMES)


def at_the_terminal(
    *, width: int = 40, answer: Callable[[str], Completion] = answer_names
) -> Callable[[Play], Callable[[], None]]:
    """Make a test of a play."""

    def make_test(play: Play) -> Callable[[], None]:
        async def perform() -> None:
            room = Room(answer)
            async with room.run_test(size=(width, 20)) as pilot:
                await pilot.pause()
                await play(User(room, pilot))

        return lambda: asyncio.run(perform())

    return make_test


@at_the_terminal()
async def test_enter_hands_over_the_text_and_the_app_clears_it(user: User) -> None:
    await user.types("hola\r")
    assert user.room.sent == ["hola"]
    assert user.text == ""


@at_the_terminal()
async def test_a_line_that_the_app_does_not_take_stays(user: User) -> None:
    user.room.takes = False
    await user.types("hola\r")
    assert user.room.sent == ["hola"]
    assert user.text == "hola"
    await user.types(UP)
    assert user.text == "hola"  # nor is it in the history


@at_the_terminal()
async def test_what_is_typed_right_after_enter_is_not_lost_with_the_line(user: User) -> None:
    await user.types(f"uno\rdoz{BACKSPACE}s\rtres\rcuatro{LEFT}{LEFT}x")
    assert user.room.sent == ["uno", "dos", "tres"]
    assert user.text == "cuatxro"


@at_the_terminal()
async def test_a_paste_right_after_enter_is_not_lost_with_the_line(user: User) -> None:
    await user.types("uno\r\x1b[200~dos\x1b[201~")
    assert user.room.sent == ["uno"]
    assert user.text == "dos"


@at_the_terminal()
async def test_keys_in_one_piece_are_carried_out_in_order(user: User) -> None:
    await user.types(f"abx{BACKSPACE}c{HOME}<{END}>")
    assert user.text == "<abc>"


NEWLINES = {
    "alt+enter": "\x1b\r",
    "alt+enter, kitty": "\x1b[13;3u",
    "ctrl+j": "\n",
    "shift+enter, kitty": "\x1b[13;2u",
    "shift+enter, modifyOtherKeys": "\x1b[27;2;13~",
}


@pytest.mark.parametrize("sequence", NEWLINES.values(), ids=NEWLINES)
def test_a_newline_is_typed_with(sequence: str) -> None:
    @at_the_terminal()
    async def play(user: User) -> None:
        await user.types(f"uno{sequence}dos")
        assert user.text == "uno\ndos"
        assert user.composer.size.height == 2
        await user.types("\r")
        assert user.room.sent == ["uno\ndos"]

    play()


@at_the_terminal(width=22)
async def test_it_grows_with_its_rows_to_six_and_shrinks_again(user: User) -> None:
    assert user.composer.size.height == 1
    await user.types("palabras " * 3)  # 27 columns in 19
    assert user.composer.size.height == 2
    assert user.composer.scroll_offset.y == 0
    await user.types("\n" * 10)
    assert user.composer.size.height == 6
    assert user.composer.scroll_offset.y == 6
    await user.types("\r")
    assert user.composer.size.height == 1
    assert user.composer.scroll_offset.y == 0


@at_the_terminal()
async def test_up_recalls_accepted_lines_and_down_comes_back_to_the_draft(user: User) -> None:
    await user.types(f"uno\rdos\rtr{UP}")
    assert user.text == "dos"
    assert user.cursor == (0, 3)
    await user.types(UP)
    assert user.text == "uno"
    await user.types(f"{UP}{UP}")
    assert user.text == "uno"
    await user.types(f"{DOWN}{DOWN}")
    assert user.text == "tr"
    assert user.cursor == (0, 2)
    await user.types(f"{DOWN}es")
    assert user.text == "tres"


@at_the_terminal()
async def test_a_change_to_a_recalled_line_does_not_change_the_history(user: User) -> None:
    await user.types(f"uno\r{UP} y medio\r{UP}{UP}")
    assert user.room.sent == ["uno", "uno y medio"]
    assert user.text == "uno"


@at_the_terminal()
async def test_a_change_to_a_recalled_line_is_kept_beside_the_line(user: User) -> None:
    await user.types(f"uno\rdos\r{UP}!{UP}{DOWN}")
    assert user.text == "dos!"
    await user.types(f"{DOWN}tres\r{UP}{UP}")
    assert user.text == "dos!"
    await user.types(UP)
    assert user.text == "dos"


@at_the_terminal(width=22)
async def test_up_and_down_first_move_between_rows(user: User) -> None:
    await user.types("vieja\runo\ndos palabras de veinte")  # the second line takes two rows
    await user.types(UP)
    assert user.cursor[0] == 1
    await user.types(UP)
    assert user.cursor[0] == 0
    assert user.text.startswith("uno")
    await user.types(UP)
    assert user.text == "vieja"
    await user.types(DOWN)
    assert user.text.startswith("uno")
    assert user.cursor == user.composer.document.end


@at_the_terminal()
async def test_tab_goes_round_the_candidates_and_shift_tab_back(user: User) -> None:
    await user.types("lu\t")
    assert user.text == "luis: "
    posted = user.room.last(Composer.Candidates)
    assert (posted.candidates, posted.chosen_index) == (["luis: ", "lucía: "], 0)
    await user.types("\t")
    assert user.text == "lucía: "
    assert user.room.last(Composer.Candidates).chosen_index == 1
    await user.types("\t")
    assert user.text == "luis: "
    await user.types(SHIFT_TAB)
    assert user.text == "lucía: "
    await user.types("hola")
    assert user.text == "lucía: hola"
    posted = user.room.last(Composer.Candidates)
    assert (posted.candidates, posted.chosen_index) == ([], -1)


@at_the_terminal()
async def test_shift_tab_begins_with_the_last_candidate(user: User) -> None:
    await user.types(f"lu{SHIFT_TAB}")
    assert user.text == "lucía: "


@at_the_terminal()
async def test_the_key_shift_that_kitty_reports_before_shift_tab_ends_nothing(user: User) -> None:
    await user.types("lu\t\t\x1b[57441;2u\x1b[9;2u")
    assert user.text == "luis: "
    await user.types("\x1b[57441;2u\x1b[9;2u")
    assert user.text == "lucía: "


@at_the_terminal()
async def test_another_key_ends_the_round(user: User) -> None:
    await user.types(f"lu\t{LEFT}{RIGHT}\t")
    assert user.text == "luis: "


@at_the_terminal()
async def test_one_candidate_is_put_in_and_the_next_tab_completes_what_follows(user: User) -> None:
    await user.types("/msg a\t")
    assert user.text == "/msg ana "
    assert user.room.posted == []
    await user.types("hola l\t")
    assert user.text == "/msg ana hola luis "


@at_the_terminal(
    answer=lambda before: Completion(5, ["ana "]) if " " in before else Completion(0, ["/msg "])
)
async def test_two_tabs_in_a_row_complete_two_words_with_one_candidate_each(user: User) -> None:
    await user.types("/m\t\t")
    assert user.text == "/msg ana "


@at_the_terminal()
async def test_a_paste_may_take_the_place_of_a_text_of_the_greatest_size(user: User) -> None:
    user.composer.load("x" * MAX_COMPOSER_BYTES)
    user.composer.select_all()
    await user.pastes("abc\n")
    assert user.text == "abc\n"
    assert user.room.last(Composer.Pasted).lines == 1


@at_the_terminal()
async def test_shift_up_in_the_first_row_selects_and_recalls_nothing(user: User) -> None:
    await user.types("old\rnew\x1b[1;2A")
    assert user.text == "new"


@at_the_terminal()
async def test_the_text_after_the_cursor_stays(user: User) -> None:
    await user.types(f" ven{HOME}an\t")
    assert user.text == "ana:  ven"
    assert user.cursor == (0, 5)


def test_only_the_line_before_the_cursor_is_completed() -> None:
    asked: list[str] = []

    def answer(before: str) -> Completion:
        asked.append(before)
        return Completion(4, ["ana "])

    @at_the_terminal(answer=answer)
    async def play(user: User) -> None:
        await user.types(f"uno\ndos x{LEFT}\t")
        assert set(asked) == {"dos "}
        assert user.text == "uno\ndos ana x"

    play()


@at_the_terminal()
async def test_tab_stays_here_while_there_is_text_and_inserts_nothing(user: User) -> None:
    await user.types("nadie\t")
    assert user.text == "nadie"
    assert user.composer.has_focus
    await user.types(SHIFT_TAB)
    assert user.composer.has_focus
    await user.types(f"{CTRL_U}\t")
    assert not user.composer.has_focus


@at_the_terminal(answer=lambda before: Completion(0, ["\x1b[31mana", "an\u202ea", "a\nb"]))
async def test_a_name_that_would_steer_the_terminal_is_not_completed(user: User) -> None:
    await user.types("a\t")
    assert user.text == "a"


@at_the_terminal()
async def test_a_paste_of_many_lines_stays_one_text_and_is_not_submitted(user: User) -> None:
    await user.types("di: ")
    await user.pastes("uno\r\ndos\rtres\n\tcuatro\x00\x1b[31m\x9b\u2028cinco")
    assert user.text == "di: uno\ndos\ntres\n\tcuatro[31m\ncinco"
    posted = user.room.last(Composer.Pasted)
    assert (posted.lines, posted.chars) == (5, len(user.text) - 4)
    assert user.room.sent == []
    await user.types("\r")
    assert user.room.sent == ["di: uno\ndos\ntres\n\tcuatro[31m\ncinco"]


@at_the_terminal()
async def test_a_paste_replaces_what_is_selected(user: User) -> None:
    await user.types("hola\x1b[1;2D\x1b[1;2D")
    assert user.composer.selected_text == "la"
    await user.pastes("y")
    assert user.text == "hoy"


@at_the_terminal()
async def test_a_paste_that_is_too_long_leaves_the_text_as_it_was(user: User) -> None:
    await user.types("hola")
    await user.pastes("ñ" * (MAX_COMPOSER_BYTES // 2))
    assert user.room.last(Composer.PasteTooLong).size_bytes == MAX_COMPOSER_BYTES
    assert user.text == "hola"
    await user.pastes("ñ" * (MAX_COMPOSER_BYTES // 2 - 2))
    assert len(user.text.encode()) == MAX_COMPOSER_BYTES
    await user.types("x")
    assert len(user.text.encode()) == MAX_COMPOSER_BYTES


@at_the_terminal()
async def test_loading_a_draft_leaves_nothing_of_the_other(user: User) -> None:
    await user.types(f"vieja\rsecreto{UP}")
    user.composer.load("borrador\r\nsegundo\x1b")
    assert user.text == "borrador\nsegundo"
    assert user.cursor == (1, 7)
    await user.types(f"{CTRL_Z}{CTRL_Y}{DOWN}")
    assert user.text == "borrador\nsegundo"


@at_the_terminal()
async def test_loading_a_draft_ends_the_completion(user: User) -> None:
    await user.types("lu\t")
    user.composer.load("a")
    await user.settled()
    assert user.room.last(Composer.Candidates).candidates == []
    await user.types("\t")
    assert user.text == "ana: "


@at_the_terminal()
async def test_an_accepted_line_is_not_undone_into_the_next(user: User) -> None:
    await user.types(f"uno\r{CTRL_Z}")
    assert user.text == ""


@at_the_terminal()
async def test_the_placeholder_is_no_markup(user: User) -> None:
    user.composer.placeholder = "Escribe a [b]ana[/b]\x1b…"
    await user.settled()
    assert user.composer.render_line(0).text.rstrip() == "Escribe a [b]ana[/b]␛…"


@at_the_terminal()
async def test_what_is_typed_is_no_markup(user: User) -> None:
    await user.types("[red]hola[/red] :smile:")
    assert user.composer.render_line(0).text.rstrip() == "[red]hola[/red] :smile:"


@pytest.mark.parametrize("key", APP_KEYS)
def test_the_app_gets(key: str) -> None:
    @at_the_terminal()
    async def play(user: User) -> None:
        await user.types(f"hola{APP_KEYS[key]}")
        assert user.room.noted == [key]
        assert user.text == "hola"

    play()


@at_the_terminal()
async def test_the_app_gets_ctrl_c_also_when_text_is_selected(user: User) -> None:
    await user.types("hola\x1b[1;2H\x03")
    assert user.room.noted == ["ctrl+c"]
    assert user.composer.selected_text == "hola"


@at_the_terminal()
async def test_the_editing_keys_that_people_know(user: User) -> None:
    await user.types(f"una frase{CTRL_A}<{CTRL_E}>")
    assert user.text == "<una frase>"
    await user.types(f"{CTRL_W}otra{CTRL_Z}")
    assert user.text == "<una "
    await user.types(CTRL_Y)
    assert user.text == "<una otra"
    await user.types(f"\x1b[1;5D{CTRL_K}")  # Ctrl+Left
    assert user.text == "<una "
    await user.types(f"{CTRL_A}\x1b[1;5C{CTRL_U}")  # Ctrl+Right
    assert user.text == " "


@at_the_terminal()
async def test_ctrl_d_deletes_and_goes_to_the_app_when_there_is_nothing(user: User) -> None:
    await user.types(f"hola{HOME}\x04")
    assert (user.text, user.room.noted) == ("ola", [])
    await user.types(f"{CTRL_K}\x04")
    assert user.room.noted == ["ctrl+d"]


@at_the_terminal()
async def test_what_was_cut_can_be_pasted(user: User) -> None:
    await user.types("hola\x18")
    assert user.text == "hola"  # nothing was selected
    await user.types("\x1b[1;2H\x18")
    assert user.text == ""
    await user.types("\x16\x16")
    assert user.text == "holahola"


@at_the_terminal()
async def test_characters_that_are_no_letters_can_be_typed(user: User) -> None:
    await user.types("👩\u200d👧\u3000e\u0301\xa0ñ")
    assert user.text == "👩\u200d👧\u3000e\u0301\xa0ñ"


@at_the_terminal(width=20)
async def test_ctrl_u_and_ctrl_k_take_the_line_over_all_its_rows(user: User) -> None:
    long = "una frase de varias filas en la pantalla"
    await user.types(f"uno\n{long}{CTRL_U}")
    assert user.text == "uno\n"
    await user.types(f"{long}{HOME}{CTRL_K}")
    assert user.text == "uno\n"


@at_the_terminal()
async def test_a_cursor_that_has_no_focus_is_not_shown(user: User) -> None:
    await user.types(f"hola{LEFT}")
    assert len(list(user.composer.render_line(0))) > 1
    user.room.query_one(Input).focus()
    await user.settled()
    assert {segment.style for segment in user.composer.render_line(0)} == {
        next(iter(user.composer.render_line(0))).style
    }
