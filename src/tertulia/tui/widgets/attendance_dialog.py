"""The attendance: a list of sessions that grows page by page, and can be copied as CSV.

Runs on the event loop's thread.
"""

from collections.abc import Sequence
from typing import ClassVar

from msgspec import UNSET
from rich.cells import cell_len
from textual import on
from textual.app import ComposeResult
from textual.widgets import Static

from tertulia.attendance_csv import csv_lines
from tertulia.i18n import _
from tertulia.operator_words import local_time, reason_words
from tertulia.protocol.attendance import AttendanceRow
from tertulia.safetext import visible_in_a_line
from tertulia.tui.painting.styled_text import Run
from tertulia.tui.painting.wrap import shorten, wrap
from tertulia.tui.widgets.copy_dialog import CopyDialog
from tertulia.tui.widgets.messagelog import MessageLog

_NAME, _ADDRESS = 16, 15  # terminal columns for most names and addresses
_TIMES = len("2026-11-22 15:04 – still here")  # the width for most sessions
_ONE_LINE = _NAME + _ADDRESS + _TIMES + 6  # columns for all of it in one line
_DAY = len("2026-11-22")


class AttendancePainter:
    """Paints a session in one line, or in several lines in a narrow view."""

    def height(self, entry: AttendanceRow, width: int) -> int:
        """Return the number of lines."""
        return len(self.paint(entry, width))

    def paint(self, entry: AttendanceRow, width: int) -> list[list[Run]]:
        """Return the lines of a session."""
        name, address = visible_in_a_line(entry.name), visible_in_a_line(entry.address)
        times, reason = _times(entry), _reason(entry)
        fits = cell_len(name) <= _NAME and len(address) <= _ADDRESS and cell_len(times) <= _TIMES
        if width >= _ONE_LINE and fits:
            gap = " " * (_NAME - cell_len(name))
            line: list[Run] = [
                (f"{times:{_TIMES}}  ", "time"),
                (name, "name"),
                (f"{gap}  {address:{_ADDRESS}}", "text"),
            ]
            room = width - _ONE_LINE
            if cell_len(reason) <= room:
                return [[*line, (f"  {reason}" if reason else "", "system")]]
            return [line, [(shorten(f"  {reason}", width), "system")]]
        lines: list[list[Run]] = [[(shorten(name, width), "name")]]
        if cell_len(name) + 2 + len(address) <= width:
            lines[0].append((f"  {address}", "text"))
        else:
            lines.append([(shorten(f"  {address}", width), "text")])
        lines.append([(shorten(f"  {times}", width), "time")])
        lines += [[(f"  {part}", "system")] for part in wrap(reason, width - 2) if reason]
        return lines


class AttendanceLog(MessageLog[AttendanceRow]):
    """The sessions, the newest last."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        f"message-log--{style}" for style in ("time", "name", "text", "system")
    }


class AttendanceDialog(CopyDialog):
    """All sessions of the history, and their number."""

    closes_at_click_outside = True

    def __init__(self) -> None:
        super().__init__(_("Who was here"))
        self.add_class("wide")
        self._rows: list[AttendanceRow] = []
        self._count = ""
        self._is_filled = False
        self._log = AttendanceLog(AttendancePainter(), id="found")

    def content(self) -> ComposeResult:
        """Show the sessions."""
        yield self._log

    def on_mount(self) -> None:
        """Show the sessions that arrived before the dialog was open."""
        self._is_filled = True
        self._log.load(self._rows)
        self._log.focus()
        self._show_count()

    def add(self, rows: Sequence[AttendanceRow], count: str = "") -> None:
        """Add later sessions; `count` is a text with their number once all have arrived."""
        self._rows += rows
        self._count = count or self._count
        if self._is_filled:
            self._log.append(rows)
            self._show_count()

    def _show_count(self) -> None:
        if self._count:
            title = f"{self._title} ({self._count})"
            self.query_one("#dialog-title", Static).update(title)

    def hint(self) -> str:
        """Return the effect of the keys."""
        return _("C: copy as CSV · F7: as plain text · Esc: back")

    def text_to_copy(self) -> str:
        """Return all sessions as CSV."""
        return "".join(csv_lines(self._rows))

    @on(MessageLog.ReachedTop)
    @on(MessageLog.Clicked)
    @on(MessageLog.NewBelow)
    def _keep_to_itself(self, event: MessageLog.ReachedTop) -> None:
        event.stop()  # the messages of this list must not reach the conversation's handlers


def _times(row: AttendanceRow) -> str:
    joined, left = local_time(row.joined), _("still here")
    if row.left is not UNSET:
        left = local_time(row.left)
        if left[:_DAY] == joined[:_DAY]:
            left = left[_DAY + 1 :]
    return f"{joined} – {left}"


def _reason(row: AttendanceRow) -> str:
    return reason_words(row.reason or "")
