"""Paints the entries of a conversation as lines of text, each part in a named style.

Each kind of entry has its own sign, so that colour is never the only difference. Text from the
network is made safe to show here. Pure; runs on the event loop's thread.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from zlib import crc32

from rich.cells import cell_len

from tertulia.chat.display import Glyphs, clock_time
from tertulia.chat.event_words import Movement, day_words, movement_words
from tertulia.chat.finding import found_spans
from tertulia.chat.order_words import left_words
from tertulia.i18n import _, ngettext
from tertulia.safetext import visible, visible_in_a_line, without_gaps
from tertulia.tui.model.timeline import Change, Day, Delivery, Entry, Moved, New, Said, Told
from tertulia.tui.painting.copying import Span, written
from tertulia.tui.painting.links import link_lines
from tertulia.tui.painting.styled_text import Run, mark_runs
from tertulia.tui.painting.wrap import line_count, shorten, wrap

NAME_STYLES = ("name-0", "name-1", "name-2", "name-3", "name-4", "name-5")
STYLES = (
    "time", "own", "mention", "text", "own-text", "mention-text", "system", "day", "new", "failed",
    "sending", "found", *NAME_STYLES,
)  # fmt: skip

INDENT = len("12:34 · ")
# Terminal columns for the names, by the width of the view. A name that is longer is placed above
# its message.
_NAME_COLUMNS = ((64, 10), (40, 8), (0, 0))
# Text that could look like another user's message; it is indented by one column.
_LIKE_A_MESSAGE = re.compile(r"\n(\[[\d-]{2}:[\d-]{2}\])")
MAX_LINES = 100  # of one message; the bare view also shows the others


class ConversationPainter:
    """Paints entries for one user."""

    def __init__(self, glyphs: Glyphs) -> None:
        self._glyphs = glyphs

    def height(self, entry: Entry, width: int) -> int:
        """Return the number of lines that `paint` makes; fast, because every entry needs it."""
        match entry:
            case Said(why=None):
                text_width = width - _text_column(width)
                lines = min(line_count(_text(entry), text_width), MAX_LINES)
                return lines + _has_name_above(entry, width)
            case Day() | New():
                return 1
            case _:
                return len(self.paint(entry, width))

    def paint(self, entry: Entry, width: int) -> list[list[Run]]:
        """Return the lines of an entry."""
        match entry:
            case Said():
                return self._paint_message(entry, width)
            case Moved():
                return _stamped(clock_time(entry.time), self.movements(entry), width)
            case Told():
                time = "" if entry.continues else clock_time(entry.time)
                return _stamped(time, visible(entry.words()), width)
            case Day():
                return [[(_rule(day_words(entry.day), width), "day")]]
            case New():
                return [[(_rule(_("New since you were here"), width), "new")]]

    def copied(self, entry: Entry, width: int, spans: Mapping[int, Span]) -> str:
        """Return the original text of the selected parts of an entry's lines.

        The time and the name are not part of it.
        """
        text = self.said(entry)
        if isinstance(entry, Day | New):
            return text if spans else ""
        above = 0
        if isinstance(entry, Said):
            above = int(_has_name_above(entry, width))
            lines = _text_lines(entry, width - _text_column(width))
        else:
            lines = wrap(text, width - INDENT)
        painted = ["".join(text for text, _ in line) for line in self.paint(entry, width)]
        in_text = {}
        for number, (start, end) in spans.items():
            line = number - above
            if 0 <= line < len(lines):
                # The text is at the end of a line, after the time, the sign and the name.
                before = len(painted[number]) - len(lines[line])
                in_text[line] = (max(0, start - before), max(0, end - before))
        return written(text, lines, in_text)

    def said(self, entry: Entry) -> str:
        """Return the text of an entry, without time and name, and not wrapped."""
        match entry:
            case Said():
                return entry.text
            case Moved():
                return self.movements(entry)
            case Told():
                return visible(entry.words())
            case Day():
                return day_words(entry.day)
            case New():
                return _("New since you were here")

    def movements(self, entry: Moved) -> str:
        """Return one line about users who joined, left or changed status."""
        people: dict[Movement, list[str]] = {}
        for name, change in entry.changes.items():
            movement, words = self._movement(visible_in_a_line(name), change)
            people.setdefault(movement, []).append(words)
        return movement_words(people, entry.others)

    def _movement(self, name: str, change: Change) -> tuple[Movement, str]:
        if change.is_here and not change.was_here:
            return Movement.JOINED, name
        if not change.is_here and change.was_here:
            reason = "" if change.left is None else left_words(change.left)
            return Movement.LEFT, f"{name} ({reason})" if reason else name
        if not change.is_here:
            return Movement.CAME_AND_WENT, name
        if change.left is not None:
            return Movement.CAME_BACK, name
        status = "?" if change.status is None else self._glyphs.status(change.status)
        return Movement.CHANGED_STATUS, f"{name} {status}"

    def _runs_of_text(self, lines: Sequence[str], text: str, style: str) -> list[list[Run]]:
        """Return the lines of a message's wrapped text, in styles."""
        return link_lines(lines, text, style)

    def _paint_message(self, entry: Said, width: int) -> list[list[Run]]:
        column = _text_column(width)
        sign, name_style, text_style = _sign_and_styles(entry)
        lines = _text_lines(entry, width - column)
        name = "" if entry.continues else entry.speaker
        time = "" if entry.continues else clock_time(entry.time)
        head: list[Run] = [(f"{time:{INDENT - 2}}", "time"), (f"{sign} ", name_style)]
        runs = self._runs_of_text(lines, _text(entry), text_style)
        painted: list[list[Run]] = [[(" " * column, "time"), *line] for line in runs]
        if _has_name_above(entry, width):
            painted.insert(0, [*head, (shorten(name, width - INDENT), name_style)])
        else:
            gap = " " * (column - INDENT - cell_len(name))
            painted[0] = [*head, (name, name_style), (gap, "time"), *runs[0]]
        if entry.why is not None:
            words = entry.why() + " " + _("Press Ctrl+R to send it again.")
            why = wrap(visible(words), width - column)
            painted += [[(" " * column, "time"), (line, "failed")] for line in why]
        return painted


class FoundPainter(ConversationPainter):
    """Paints the results of a search, with the words of the search highlighted."""

    def __init__(self, glyphs: Glyphs, query: str) -> None:
        super().__init__(glyphs)
        self._query = query

    def _runs_of_text(self, lines: Sequence[str], text: str, style: str) -> list[list[Run]]:
        painted = super()._runs_of_text(lines, text, style)
        return [
            mark_runs(runs, found_spans(line, self._query), "found")
            for line, runs in zip(lines, painted, strict=True)
        ]


def help_rows() -> list[tuple[str, str]]:
    """Return the signs before messages, each with its meaning."""
    return [
        ("›", _("you wrote this")),
        ("!", _("contains your name; in the list, an unread mention or direct message")),
        ("✎", _("in the list of conversations: a text that you have not sent")),
        ("…", _("on its way")),
        ("✗", _("not delivered")),
        ("?", _("may not have been delivered; also every status while there is no connection")),
        ("#", _("a program wrote this, through a hook")),
        ("·", _("an event, for example a join")),
    ]


def bare(entries: Iterable[Entry], painter: ConversationPainter) -> str:
    """Return a conversation as text without styles, complete and not wrapped, for copying."""
    lines = []
    for entry in entries:
        match entry:
            case Said():
                # A text of several lines begins on a line of its own, exactly as it was typed.
                text = _LIKE_A_MESSAGE.sub("\n \\1", visible(entry.text))
                gap = "\n" if "\n" in text else " "
                lines.append(f"[{clock_time(entry.time)}] {entry.speaker}:{gap}{text}")
                if entry.why is not None:
                    lines.append(" " * INDENT + visible(entry.why()))
            case Moved():
                lines.append(f"[{clock_time(entry.time)}] * {painter.movements(entry)}")
            case Told():
                lines.append(f"[{clock_time(entry.time)}] * {visible(entry.words())}")
            case Day():
                lines.append(f"--- {day_words(entry.day)} ---")
            case New():
                lines.append("--- " + _("New since you were here") + " ---")
    return "\n".join(lines)


def name_style(name: str) -> str:
    """Return the style of a name; a name always has the same style."""
    return NAME_STYLES[crc32(name.encode(errors="replace")) % len(NAME_STYLES)]


def _sign_and_styles(entry: Said) -> tuple[str, str, str]:
    """Return the sign, the style of the name and the style of the text."""
    match entry.delivery:
        case Delivery.SENDING:
            return "…", "own", "sending"
        case Delivery.FAILED:
            return "✗", "failed", "own-text"
        case Delivery.UNKNOWN:
            return "?", "failed", "own-text"
    if entry.own:
        return "›", "own", "own-text"
    if entry.mention:
        return "!", "mention", "mention-text"
    return "#" if entry.hook else " ", name_style(entry.sender), "text"


def _text(entry: Said) -> str:
    return without_gaps(visible(entry.text))


def _text_lines(entry: Said, width: int) -> list[str]:
    """Return the lines of a text; if it has too many, the last one shows how many there are."""
    lines = wrap(_text(entry), width)
    if len(lines) > MAX_LINES:
        left_out = len(lines) - MAX_LINES + 1
        more = ngettext("{count} more line: F7", "{count} more lines: F7", left_out)
        lines[MAX_LINES - 1 :] = [f"… {more.format(count=left_out)}"[:width]]
    return lines


@lru_cache(maxsize=16)
def _text_column(width: int) -> int:
    """Return the column where the lines of all texts begin."""
    names = next(columns for least, columns in _NAME_COLUMNS if width >= least)
    return INDENT + names + 1 if names else INDENT


def _has_name_above(entry: Said, width: int) -> bool:
    """Return whether the name needs its own line, because it is longer than its column."""
    if entry.continues:
        return False
    columns = cell_len(entry.speaker) if entry.hook else _shown_columns(entry.sender)
    return columns >= _text_column(width) - INDENT


@lru_cache(maxsize=1024)
def _shown_columns(name: str) -> int:
    return cell_len(visible_in_a_line(name))


def _stamped(time: str, text: str, width: int) -> list[list[Run]]:
    first, *rest = wrap(text, width - INDENT)
    stamp: Run = (f"{time:{INDENT - 2}}", "time")
    lines: list[list[Run]] = [[stamp, (f"· {first}", "system")]]
    return lines + [[(" " * INDENT, "time"), (line, "system")] for line in rest]


def _rule(title: str, width: int) -> str:
    """Return a line across the view with a title in it."""
    title = f" {title} "[:width]
    left = "─" * min(4, width - len(title))
    return left + title + "─" * (width - len(title) - len(left))
