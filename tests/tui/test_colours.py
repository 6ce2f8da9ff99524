"""The colours on the screen as it is painted: legible in every palette."""

import contextlib
from collections.abc import Iterator
from typing import NamedTuple

import pytest
from plain_table import Clock
from rich.color import Color, ColorSystem
from rich.segment import Segment
from rich.style import Style
from rich.terminal_theme import TerminalTheme
from seat import ENTERED, LonelyServer, Seat
from table import ChatTable
from textual.geometry import Region
from textual.selection import SELECT_ALL

from tertulia.tui.terminal.abilities import Abilities, Colours
from tertulia.tui.terminal.background import QUESTION

pytestmark = pytest.mark.long

ENOUGH = 4.5  # WCAG 2, level AA, for text of a usual size
BLACK, WHITE = (0, 0, 0), (255, 255, 255)
VGA = [  # the Linux console, and most terminals that say that they have only a few colours
    BLACK, (170, 0, 0), (0, 170, 0), (170, 85, 0), (0, 0, 170), (170, 0, 170), (0, 170, 170),
    (170, 170, 170),
]  # fmt: skip
VGA_BRIGHT = [
    (85, 85, 85), (255, 85, 85), (85, 255, 85), (255, 255, 85), (85, 85, 255), (255, 85, 255),
    (85, 255, 255), WHITE,
]  # fmt: skip
XTERM = [
    BLACK, (205, 0, 0), (0, 205, 0), (205, 205, 0), (0, 0, 238), (205, 0, 205), (0, 205, 205),
    (229, 229, 229),
]  # fmt: skip
XTERM_BRIGHT = [
    (127, 127, 127), (255, 0, 0), (0, 255, 0), (255, 255, 0), (92, 92, 255), (255, 0, 255),
    (0, 255, 255), WHITE,
]  # fmt: skip


class Shown(NamedTuple):
    """What a terminal shows of a colour."""

    system: ColorSystem
    own: TerminalTheme | None = None  # the terminal's own colours

    def luminance(self, colour: Color, *, of_text: bool) -> float:
        shown = colour.downgrade(self.system).get_truecolor(self.own, foreground=of_text)
        linear = [
            c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4
            for c in (part / 255 for part in shown)
        ]
        return sum(part * c for part, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))

    def contrast(self, style: Style) -> float:
        assert style.color is not None
        assert style.bgcolor is not None
        text = self.luminance(style.color, of_text=True)
        ground = self.luminance(style.bgcolor, of_text=False)
        return (max(text, ground) + 0.05) / (min(text, ground) + 0.05)


def terminals(colours: Colours, dark: bool) -> list[Shown]:
    """Return the kinds of terminals with this palette."""
    if colours is Colours.FULL:
        return [Shown(ColorSystem.TRUECOLOR)]
    if colours is Colours.PALETTE:
        return [Shown(ColorSystem.EIGHT_BIT)]
    return [
        Shown(ColorSystem.STANDARD, TerminalTheme(ground, text, own, own_bright))
        for own, own_bright in ((VGA, VGA_BRIGHT), (XTERM, XTERM_BRIGHT))
        for ground, text in [(BLACK, own[7]) if dark else (WHITE, BLACK)]
    ]


def texts(table: ChatTable, within: Region) -> Iterator[Segment]:
    """Yield what is written there, but for lines, blocks and blanks."""
    for strip in table.strips[within.y : within.bottom]:
        for segment in strip.crop(within.x, within.right):
            if any(character.isalnum() for character in segment.text):
                yield segment


def poor(table: ChatTable, terminals: list[Shown]) -> dict[str, float]:
    """Return the texts of the uppermost screen that cannot be read, with their contrast."""
    dialogs = table.app.screen.query("#dialog")
    within = dialogs.first().region if dialogs else table.app.screen.region
    found = {}
    for text, style, _ in texts(table, within):
        assert style is not None, text
        contrast = min(terminal.contrast(style) for terminal in terminals)
        if contrast < ENOUGH:
            found[text] = round(contrast, 2)
    return found


async def everything(table: ChatTable) -> None:
    """Fill the screen with all kinds of texts."""
    for name in ("eva", "marta", "田中", "zoe", "max"):
        await table.hear(table.joined(name), table.said(f"I am {name}", name))
    await table.enter("mine")
    await table.hear(table.said("ana, look"), table.direct("psst", "José"), table.left("max"))


@pytest.mark.parametrize("dark", [True, False], ids=["dark", "light"])
@pytest.mark.parametrize("colours", [Colours.FULL, Colours.PALETTE, Colours.FEW])
def test_every_text_is_legible_also_where_it_is_selected(
    clock: Clock, colours: Colours, dark: bool
) -> None:
    shown = terminals(colours, dark)

    async def scenario(table: ChatTable) -> None:
        await everything(table)
        assert poor(table, shown) == {}
        ground = next(style.bgcolor for _, style, _ in texts(table, table.log.region) if style)
        table.composer.insert("typed")
        table.composer.select_all()
        await table.settle()  # this clears a selection elsewhere
        table.app.main.selections = {table.log: SELECT_ALL}
        await table.settle()
        assert poor(table, shown) == {}
        selected = set()
        for text, style, _ in texts(table, table.app.screen.region):
            if text.strip() in ("mine", "ana, look", "I am zoe", "typed"):
                assert style is not None
                assert style.reverse or style.bgcolor != ground
                selected.add(text.strip())
        assert selected == {"mine", "ana, look", "I am zoe", "typed"}
        for keys in (("f3",), ("escape", "f2"), ("escape", "f4"), ("escape", "f1")):
            await table.press(*keys)
            assert poor(table, shown) == {}, keys

    ChatTable(clock, terminal=Abilities(colours=colours), dark=dark).run(scenario)


def test_the_program_starts_light_on_a_light_terminal_and_keeps_what_was_typed() -> None:
    with (
        contextlib.closing(LonelyServer(["the end"])) as server,
        contextlib.closing(Seat(server.port, COLORTERM="truecolor")) as seat,
    ):
        seat.see(QUESTION)
        seat.type(b"ho\x1b]11;rgb:ffff/ffff/f0f0\x1b\\la\x1b[?62c")
        seat.see(ENTERED)
        seat.see("48;2;250;250;250")
        seat.see("hola")
        seat.type(b"\x03")
        assert seat.leave() == 0
    assert "48;2;22;22;30" not in seat.everything, "it was dark at first"
