"""Paint the entries of a conversation: lines of text, each part in a named style.

A sign and a shape tell the kinds of entries apart; colour is never the only difference. Everything
from the network is made safe to show here. Pure; runs on the event loop's thread.
"""

from collections.abc import Iterable
from zlib import crc32

from tertulia.chat.display import Glyphs, clock_time, visible, visible_in_a_line
from tertulia.chat.event_words import Movement, day_words, movement_words, speech
from tertulia.chat.explain import left_reason
from tertulia.i18n import _, ngettext
from tertulia.tui.model.entries import Change, Day, Delivery, Entry, Moved, Said, Told
from tertulia.tui.painting.styled_text import Run
from tertulia.tui.painting.wrap import line_count, wrap

NAME_STYLES = ("name-0", "name-1", "name-2", "name-3", "name-4", "name-5")
STYLES = (
    "time", "own", "mention", "text", "own-text", "mention-text", "system", "day", "failed",
    "sending", *NAME_STYLES,
)  # fmt: skip

INDENT = len("12:34 · ")
MAX_LINES = 100  # of one message; the bare view shows the others


class ConversationPainter:
    """Paint entries for one user to read."""

    def __init__(self, glyphs: Glyphs) -> None:
        self._glyphs = glyphs

    def height(self, entry: Entry, width: int) -> int:
        """Return the number of lines that `paint` makes; fast, because it is asked for all."""
        match entry:
            case Said(why=None):
                return min(line_count(_speech(entry), width - INDENT), MAX_LINES)
            case Day():
                return 1
            case _:
                return len(self.paint(entry, width))

    def paint(self, entry: Entry, width: int) -> list[list[Run]]:
        """Return the lines of an entry."""
        match entry:
            case Said():
                return self._paint_message(entry, width)
            case Moved():
                return _stamped(entry.time, "·", self.movements(entry), "system", width)
            case Told():
                return _stamped(entry.time, "·", visible(entry.words()), "system", width)
            case Day():
                title = f" {day_words(entry.day)} "[:width]
                left = "─" * min(4, width - len(title))
                right = "─" * (width - len(title) - len(left))
                return [[(left + title + right, "day")]]

    def movements(self, entry: Moved) -> str:
        """Return in one line who joined, left or changed status."""
        people: dict[Movement, list[str]] = {}
        for name, change in entry.changes.items():
            movement, words = self._movement(visible_in_a_line(name), change)
            people.setdefault(movement, []).append(words)
        return movement_words(people, entry.others)

    def _movement(self, name: str, change: Change) -> tuple[Movement, str]:
        if change.is_here and not change.was_here:
            return Movement.JOINED, name
        if not change.is_here and change.was_here:
            reason = visible_in_a_line(left_reason(change.reason))
            return Movement.LEFT, f"{name} ({reason})" if reason else name
        if not change.is_here:
            return Movement.CAME_AND_WENT, name
        if change.went_away:
            return Movement.CAME_BACK, name
        status = "?" if change.status is None else self._glyphs.status(change.status)
        return Movement.CHANGED_STATUS, f"{name} {status}"

    def _paint_message(self, entry: Said, width: int) -> list[list[Run]]:
        text = _speech(entry)
        name_length = text.index(": ") + 1
        lines = wrap(text, width - INDENT)
        if len(lines) > MAX_LINES:
            left_out = len(lines) - MAX_LINES + 1
            more = ngettext("{count} more line: F7", "{count} more lines: F7", left_out)
            lines[MAX_LINES - 1 :] = [f"… {more.format(count=left_out)}"[: width - INDENT]]
        sign, name_style, text_style = _sign_and_styles(entry)
        first: list[Run] = [
            (f"{clock_time(entry.time)} ", "time"),
            (f"{sign} ", name_style),
            (lines[0][:name_length], name_style),
            (lines[0][name_length:], text_style),
        ]
        indent: Run = (" " * INDENT, "time")
        painted = [first, *([indent, (line, text_style)] for line in lines[1:])]
        if entry.why is not None:
            words = entry.why() + " " + _("Press Ctrl+R to send it again.")
            why = wrap(visible(words), width - INDENT)
            painted += [[indent, (line, "failed")] for line in why]
        return painted


def help_rows() -> list[tuple[str, str]]:
    """Return the signs before messages, each with its meaning."""
    return [
        ("›", _("you wrote this")),
        ("!", _("contains your name; in the list, an unread mention or direct message")),
        ("…", _("on its way")),
        ("✗", _("not delivered")),
        ("?", _("may not have been delivered; also every status while there is no connection")),
        ("·", _("an event, for example a join")),
    ]


def bare(entries: Iterable[Entry], painter: ConversationPainter) -> str:
    """Return a conversation as text without styles, complete and not wrapped, for copying."""
    lines = []
    for entry in entries:
        match entry:
            case Said():
                # Indented, so that no line of it looks like a message of another user.
                text = visible(entry.text).replace("\n", "\n" + " " * INDENT)
                name = visible_in_a_line(entry.sender)
                lines.append(f"[{clock_time(entry.time)}] {name}: {text}")
                if entry.why is not None:
                    lines.append(" " * INDENT + visible(entry.why()))
            case Moved():
                lines.append(f"[{clock_time(entry.time)}] * {painter.movements(entry)}")
            case Told():
                lines.append(f"[{clock_time(entry.time)}] * {visible(entry.words())}")
            case Day():
                lines.append(f"--- {day_words(entry.day)} ---")
    return "\n".join(lines)


def name_style(name: str) -> str:
    """Return the style of a name, always the same one for the same name."""
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
    return " ", name_style(entry.sender), "text"


def _speech(entry: Said) -> str:
    return speech(entry.sender, visible(entry.text))


def _stamped(time: str, sign: str, text: str, style: str, width: int) -> list[list[Run]]:
    first, *rest = wrap(text, width - INDENT)
    lines: list[list[Run]] = [[(f"{clock_time(time)} ", "time"), (f"{sign} {first}", style)]]
    return lines + [[(" " * INDENT, "time"), (line, style)] for line in rest]
