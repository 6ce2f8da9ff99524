"""The entries of a conversation as lines of styled text.

Each kind is told apart by a sign and by its shape, colour only helps. All that came from the
network is made safe to show here. No state but the own name; runs on the event loop's thread.
"""

import re
from collections.abc import Iterable
from datetime import date
from zlib import crc32

from tertulia.chat.display import Glyphs, clock_time, visible, visible_in_a_line
from tertulia.chat.explain import left_reason
from tertulia.i18n import N_, _, ngettext, pgettext
from tertulia.tui.model.conversations import Change, Day, Delivery, Entry, Moved, Said, Told
from tertulia.tui.painting.runs import Run
from tertulia.tui.painting.wrap import line_count, wrap

NAME_STYLES = ("name-0", "name-1", "name-2", "name-3", "name-4", "name-5")
STYLES = (
    "time", "own", "mention", "text", "own-text", "mention-text", "system", "day", "failed",
    "sending", *NAME_STYLES,
)  # fmt: skip

INDENT = len("12:34 · ")
MAX_LINES = 100  # of one message; the bare view has the rest
MAX_NAMES = 4  # in a line of comings and goings
_SOUNDS_LIKE_I = re.compile("h?[ií](?![aeoáéó])")  # Spanish has "e" for "y" before it
_BLANK_LINES = re.compile(r"\n\s*\n\s*\n")
_WEEKDAYS = (
    N_("Monday"), N_("Tuesday"), N_("Wednesday"), N_("Thursday"), N_("Friday"), N_("Saturday"),
    N_("Sunday"),
)  # fmt: skip
_MONTHS = (
    N_("January"), N_("February"), N_("March"), N_("April"), N_("May"), N_("June"), N_("July"),
    N_("August"), N_("September"), N_("October"), N_("November"), N_("December"),
)  # fmt: skip


class ConversationPainter:
    """Make lines of entries, for one user to read."""

    def __init__(self, glyphs: Glyphs) -> None:
        self._glyphs = glyphs

    def height(self, entry: Entry, width: int) -> int:
        """Count the lines of an entry."""
        match entry:
            case Said(why=None):
                return min(line_count(_speech(entry), width - INDENT), MAX_LINES)
            case Day():
                return 1
            case _:
                return len(self.paint(entry, width))

    def paint(self, entry: Entry, width: int) -> list[list[Run]]:
        """Make the lines of an entry."""
        match entry:
            case Said():
                return self._said(entry, width)
            case Moved():
                return _stamped(entry.time, "·", self.moved(entry), "system", width)
            case Told():
                return _stamped(entry.time, "·", visible(entry.words()), "system", width)
            case Day():
                title = f" {day_words(entry.day)} "[:width]
                left = "─" * min(4, width - len(title))
                right = "─" * (width - len(title) - len(left))
                return [[(left + title + right, "day")]]

    def moved(self, entry: Moved) -> str:
        """Say in a line who came, went or changed status."""
        groups: dict[str, list[str]] = {}
        for name, change in entry.changes.items():
            kind, words = self._changed(visible_in_a_line(name), change)
            groups.setdefault(kind, []).append(words)
        parts = []
        for kind, people in groups.items():
            listed = listing(people)
            match kind:
                case "joined":
                    part = ngettext("{people} joined", "{people} joined", len(people))
                case "back":
                    part = ngettext("{people} came back", "{people} came back", len(people))
                case "left":
                    part = ngettext("{people} left", "{people} left", len(people))
                case "passed":
                    part = ngettext("{people} came and went", "{people} came and went", len(people))
                case _:
                    part = "{people}"
            parts.append(part.format(people=listed))
        if entry.others:
            text = ngettext("{count} more change", "{count} more changes", entry.others)
            parts.append(text.format(count=entry.others))
        return "; ".join(parts)

    def _changed(self, name: str, change: Change) -> tuple[str, str]:
        if change.is_here and not change.was_here:
            return "joined", name
        if not change.is_here and change.was_here:
            reason = visible_in_a_line(left_reason(change.reason))
            return "left", f"{name} ({reason})" if reason else name
        if not change.is_here:
            return "passed", name
        if change.went_away:
            return "back", name
        status = "?" if change.status is None else self._glyphs.status(change.status)
        return "status", f"{name} {status}"

    def _said(self, entry: Said, width: int) -> list[list[Run]]:
        speech = _speech(entry)
        name_length = speech.index(": ") + 1
        lines = wrap(speech, width - INDENT)
        if len(lines) > MAX_LINES:
            left_out = len(lines) - MAX_LINES + 1
            text = ngettext("{count} more line: F7", "{count} more lines: F7", left_out)
            lines[MAX_LINES - 1 :] = [f"… {text.format(count=left_out)}"[: width - INDENT]]
        sign, name_style, text_style = _look(entry)
        first: list[Run] = [
            (f"{clock_time(entry.time)} ", "time"),
            (f"{sign} ", name_style),
            (lines[0][:name_length], name_style),
            (lines[0][name_length:], text_style),
        ]
        indent: Run = (" " * INDENT, "time")
        painted = [first, *([indent, (line, text_style)] for line in lines[1:])]
        if entry.why is not None:
            words = entry.why() + " " + _("Ctrl+R sends it again.")
            why = wrap(visible(words), width - INDENT)
            painted += [[indent, (line, "failed")] for line in why]
        return painted


def help_rows() -> list[tuple[str, str]]:
    """Write what the signs before messages mean."""
    return [
        ("›", _("you wrote this")),
        ("!", _("your name is in it; in the list: a mention or a direct message waits")),
        ("…", _("on its way")),
        ("✗", _("not delivered")),
        ("?", _("nobody knows whether it was delivered; a status while there is no connection")),
        ("·", _("what has happened")),
    ]


def listing(people: list[str]) -> str:
    """Name a few people, and count the others."""
    if len(people) > MAX_NAMES + 1:
        count = len(people) - MAX_NAMES
        others = ngettext("{count} other", "{count} others", count).format(count=count)
        people = [*people[:MAX_NAMES], others]
    if len(people) == 1:
        return people[0]
    text = _("{some} and {last}")
    if _SOUNDS_LIKE_I.match(people[-1].casefold()):
        text = pgettext("before the sound of an i", "{some} and {last}")
    return text.format(some=", ".join(people[:-1]), last=people[-1])


def day_words(day: date) -> str:
    """Write a day."""
    return _("{weekday}, {month} {day}, {year}").format(
        weekday=_(_WEEKDAYS[day.weekday()]),
        month=_(_MONTHS[day.month - 1]),
        day=day.day,
        year=day.year,
    )


def bare(entries: Iterable[Entry], painter: ConversationPainter) -> str:
    """Write a conversation as text alone, whole and not wrapped, to be copied."""
    lines = []
    for entry in entries:
        match entry:
            case Said():
                # Indented, so that no line of it looks like a message of somebody else.
                text = visible(entry.text).replace("\n", "\n" + " " * INDENT)
                name = visible_in_a_line(entry.sender)
                lines.append(f"[{clock_time(entry.time)}] {name}: {text}")
                if entry.why is not None:
                    lines.append(" " * INDENT + visible(entry.why()))
            case Moved():
                lines.append(f"[{clock_time(entry.time)}] * {painter.moved(entry)}")
            case Told():
                lines.append(f"[{clock_time(entry.time)}] * {visible(entry.words())}")
            case Day():
                lines.append(f"--- {day_words(entry.day)} ---")
    return "\n".join(lines)


def name_style(name: str) -> str:
    """Choose the colour of a name, always the same."""
    return NAME_STYLES[crc32(name.encode(errors="replace")) % len(NAME_STYLES)]


def _look(entry: Said) -> tuple[str, str, str]:
    """Choose the sign, the style of the name and that of the text."""
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
    return " ", name_style(entry.sender), "text"


def _speech(entry: Said) -> str:
    text = visible(entry.text)
    if "\n" in text:
        text = _BLANK_LINES.sub("\n\n", text)
    return f"{visible_in_a_line(entry.sender)}: {text}"


def _stamped(time: str, sign: str, text: str, style: str, width: int) -> list[list[Run]]:
    first, *rest = wrap(text, width - INDENT)
    lines: list[list[Run]] = [[(f"{clock_time(time)} ", "time"), (f"{sign} {first}", style)]]
    return lines + [[(" " * INDENT, "time"), (line, style)] for line in rest]
