"""What the command does instead of running a server: the console, and work on a history's file.

It is a module of its own, so that a server starts without loading all this.
"""

import signal
from collections.abc import Set
from pathlib import Path

from tertulia.server.console.program import run_console
from tertulia.server.handout.handout import WHEELS
from tertulia.server.history.export import backup, export, export_attendance
from tertulia.server.history.leftovers import remove_on
from tertulia.server.history.restore import restore
from tertulia.server.options import Options
from tertulia.server.streams import drop_unwritten
from tertulia.state_directory import state_directory


def run_instead(options: Options, stop_signals: Set[signal.Signals]) -> int:
    """Carry out options that do not ask for a server; return the exit status."""
    if options.report is not None:
        from tertulia.watch.program import show_report

        status = show_report(options.config.port, options.report)
        drop_unwritten()
        return status
    if options.fetches_client:
        from tertulia.server.handout.fetch import fetch_client

        directory = state_directory()
        return fetch_client(None if directory is None else directory / WHEELS)
    if options.opens_console:
        return run_console(options.config.port)
    assert options.config.history is not None
    history = Path(options.config.history)
    remove_on(stop_signals)
    if options.export_to is not None:
        status = export(history, options.export_to, with_attendance=options.exports_attendance)
        drop_unwritten()
        return status
    if options.attendance_to is not None:
        status = export_attendance(history, options.attendance_to)
        drop_unwritten()
        return status
    if options.backup_to is not None:
        return backup(history, options.backup_to)
    assert options.restore_from is not None
    return restore(history, Path(options.restore_from))
