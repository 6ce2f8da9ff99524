"""Makes the text that draws a change of the screen.

Terminals disagree about the width of some clusters of characters (widths.py). So the cursor is
positioned again after each of them, and none may extend beyond the part of the line that is being
drawn. A user's text thus stays in its place in every terminal. Runs on the event loop's thread.
"""

from typing import NamedTuple
from zlib import crc32

from rich.cells import cell_len, set_cell_size
from rich.color import ColorSystem
from rich.console import COLOR_SYSTEMS, Console
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from tertulia.tui.terminal.abilities import Abilities
from tertulia.tui.terminal.console import in_console_signs
from tertulia.tui.terminal.widths import (
    Cluster,
    is_agreed,
    parts,
    shortened,
    simplified,
    with_few_marks,
)


class Pen(NamedTuple):
    """Draws on the present terminal, whose abilities it knows."""

    terminal: Abilities = Abilities()

    def draw(self, strip: Strip, x: int, y: int, end: int, console: Console) -> str:
        """Return the text that draws a strip into the cells from x to `end`, and into no others."""
        if self.terminal.is_console:
            segments = (
                Segment(in_console_signs(text), style) for text, style, _ in strip.simplify()
            )
            strip = Strip(segments)
        place = f"\x1b[{y + 1};{x + 1}H"
        if all(is_agreed(text) and not (style and style.link) for text, style, _ in strip):
            return place + strip.adjust_cell_length(end - x).render(console)
        system = COLOR_SYSTEMS.get(console.color_system or "", ColorSystem.TRUECOLOR)
        written = [place]
        style = None
        for text, style, _ in strip:
            text, x = self._place(text, x, end)
            written.append(self._style(text, style, system))
        written.append(self._style(" " * (end - x), style, system))
        return "".join(written)

    def _place(self, text: str, x: int, end: int) -> tuple[str, int]:
        """Return the text that draws a text from x on, and the cell where it ends."""
        written = []
        for part in parts(text):
            if isinstance(part, str):
                part = set_cell_size(part, min(cell_len(part), end - x))
                written.append(part)
                x += cell_len(part)
            # A cluster without a width would change the cell before it.
            elif 0 < part.columns <= end - x:
                shown = self._shown(part, end - x)
                # First draw blanks: a terminal may draw fewer cells, and keep their old content.
                if part.columns > 1 or not shown[:1].isalpha():
                    written.append(" " * part.columns + f"\x1b[{x + 1}G")
                x += part.columns
                written.append(f"{shown}\x1b[{x + 1}G")
        return "".join(written), x

    def _shown(self, cluster: Cluster, room: int) -> str:
        if self.terminal.is_relayed:  # tmux does not position the cursor in the terminal around it
            return simplified(cluster)
        if cluster.most_columns > room:
            return shortened(cluster, room)
        return with_few_marks(cluster.text)

    def _style(self, text: str, style: Style | None, system: ColorSystem) -> str:
        if style is None or not text:
            return text
        ansi = Strip.render_ansi(style, system)
        written = f"\x1b[{ansi}m{text}\x1b[0m" if ansi else text
        if style.link and self.terminal.has_links:
            # All parts of a divided link need the same number; Rich would give each part another
            # one.
            number = crc32(style.link.encode())
            written = f"\x1b]8;id={number:x};{style.link}\x1b\\{written}\x1b]8;;\x1b\\"
        return written
