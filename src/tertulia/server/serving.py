"""From the options to a running server, and to its orderly end; or to what is done instead."""

import contextlib
import logging
import os
import secrets
import signal
import sqlite3
import sys
import threading
import time
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from tertulia.i18n import _
from tertulia.server.addresses import addresses_to_join
from tertulia.server.automatic_code import automatic_code
from tertulia.server.certificates.given import CertificateUnusable
from tertulia.server.config import AUTOMATIC_CODE
from tertulia.server.console.program import run_console
from tertulia.server.greeting import greeting
from tertulia.server.handout.handout import WHEELS
from tertulia.server.history.checks import SqliteTooOld, StoreOfAnotherVersion
from tertulia.server.history.export import backup, export, export_attendance
from tertulia.server.history.leftovers import remove_on
from tertulia.server.history.lockfile import StoreInUse
from tertulia.server.history.restore import restore
from tertulia.server.logs import for_journal, is_journal, one_line, start_logging
from tertulia.server.operator_access import end_access, give_access, words_about
from tertulia.server.options import Options, parse_options
from tertulia.server.qr import can_show_qr
from tertulia.server.server import Server, fit_to_descriptors
from tertulia.server.start_failures import why_not_started
from tertulia.server.streams import drop_unwritten, write_within
from tertulia.server.workers.local_socket import PathUnusable
from tertulia.state_directory import state_directory
from tertulia.wrapping import wrapped_for

_LOG_TIMEOUT_S = 1.0  # for a line or the last lines, because nobody may be reading them
# Signals within this time are one wish to stop: a closed terminal and its shell send one each.
_ONE_STOP_S = 0.5

log = logging.getLogger("tertulia.server")


def run(arguments: Sequence[str]) -> int:
    """Do what the command line asks for; return the exit status.

    0 stopped, 1 not started, failed or stopped at once, 2 usage.
    """
    stop_signals = _end_on_stop_signals()
    try:
        options = parse_options(arguments)
    except SystemExit:  # for --help and --version too
        drop_unwritten()
        raise
    config, export_to, backup_to, restore_from = (
        *(options.config, options.export_to, options.backup_to, options.restore_from),
    )
    if options.look is not None:
        from tertulia.watch.program import run_look

        status = run_look(config.port, options.look)
        drop_unwritten()
        return status
    if options.fetches_client:
        from tertulia.server.handout.fetch import fetch_client

        directory = state_directory()
        return fetch_client(None if directory is None else directory / WHEELS)
    if options.opens_console:
        return run_console(config.port)
    attendance_to = options.attendance_to
    if any(file is not None for file in (export_to, attendance_to, backup_to, restore_from)):
        remove_on(stop_signals)
    if config.history is not None and export_to is not None:
        with_attendance = options.exports_attendance
        status = export(Path(config.history), export_to, with_attendance=with_attendance)
        drop_unwritten()
        return status
    if config.history is not None and attendance_to is not None:
        status = export_attendance(Path(config.history), attendance_to)
        drop_unwritten()
        return status
    if config.history is not None and backup_to is not None:
        return backup(Path(config.history), backup_to)
    if config.history is not None and restore_from is not None:
        return restore(Path(config.history), Path(restore_from))
    return _serve(options, stop_signals)


def _end_on_stop_signals() -> set[signal.Signals]:
    """Let the signals that stop the server end the program at once, and return them.

    Python's own handlers would not run while the program waits in SQLite for a locked file.
    """
    stop_signals = {signal.SIGTERM, signal.SIGINT}
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # nohup ignores it.
        stop_signals.add(signal.SIGHUP)
    for number in stop_signals:
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, stop_signals)
    return stop_signals


@contextlib.contextmanager
def _ended_by(signals: set[signal.Signals]) -> Iterator[None]:
    """Let signals that are blocked end the program while the `with` block runs."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, signals)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_BLOCK, signals)


def _serve(options: Options, stop_signals: set[signal.Signals]) -> int:
    # Each thread inherits this mask. So only the main thread gets the signals, by waiting for them.
    signal.pthread_sigmask(signal.SIG_BLOCK, stop_signals)
    log_writer, config = start_logging(options.log_level), options.config
    threading.excepthook = _end_on_fault
    if config.code == AUTOMATIC_CODE:
        config = msgspec.structs.replace(config, code=automatic_code(config.port))
    if config.operator_secret is None:
        config = msgspec.structs.replace(config, operator_secret=secrets.token_urlsafe(24))
    elif options.exposed_secret is not None:
        log.warning(
            "others can read the operator's secret: chmod 600 the file path=%s",
            options.exposed_secret,
        )
    try:
        fitting = fit_to_descriptors(config)
        with _ended_by(stop_signals):  # The file may be locked by another program for a while.
            server = Server(fitting, log_writer.lines.qsize)
        addresses = addresses_to_join(server.listener)  # before clients use up the descriptors
        access = give_access(server, fitting, addresses)
        server.start()
    except (
        OSError,
        sqlite3.Error,
        RuntimeError,
        CertificateUnusable,
        PathUnusable,
        SqliteTooOld,
        StoreInUse,
        StoreOfAnotherVersion,
    ) as error:
        is_written = log_writer.stop_within(_LOG_TIMEOUT_S)
        _tell_failure(one_line(why_not_started(config, error)))
        return _end(1, is_written)
    listening = f"listening on {config.host or '0.0.0.0'} {server.port}\n"
    write_within(_LOG_TIMEOUT_S, sys.stdout, listening)
    is_terminal = sys.stderr is not None and sys.stderr.isatty()
    shows_qr = options.shows_qr and is_terminal and can_show_qr(sys.stderr.encoding)
    about_order = words_about(access, fitting, server.port, addresses, is_terminal=is_terminal)
    log_writer.say(
        greeting(
            fitting,
            server.port,
            addresses,
            shows_qr=shows_qr,
            certificate=server.certificate,
            about_order=about_order,
        )
    )
    server.announce()
    if fitting.max_users < config.max_users:
        log.warning(
            "fewer users fit than --max-users=%d: raise the limit of open files (ulimit -n)",
            config.max_users,
        )
    while signal.sigtimedwait(stop_signals, server.upkeep_every_s) is None:
        server.keep_up()
    log_writer.say(_("Stopping. Press Ctrl+C again to stop at once."))
    threading.Thread(target=_stop_at_once_on, args=(stop_signals,), daemon=True).start()
    server.stop()
    end_access(access)
    return _end(0, log_writer.stop_within(_LOG_TIMEOUT_S))


def _tell_failure(text: str) -> None:
    text = f"tertulia-server: {text}"
    if is_journal(sys.stderr):
        text = for_journal(logging.ERROR, text)
    else:
        text = wrapped_for(sys.stderr, text)
    write_within(_LOG_TIMEOUT_S, sys.stderr, f"{text}\n")


def _end(status: int, log_is_written: bool) -> int:
    """Return the exit status, or end at once if an ordinary exit would wait for stderr."""
    if not log_is_written:
        os._exit(status)
    drop_unwritten()
    return status


def _stop_at_once_on(signals: set[signal.Signals]) -> None:
    """End the program at a second signal, but not at one that came together with the first."""
    ignore_until = time.monotonic() + _ONE_STOP_S
    while signal.sigtimedwait(signals, max(0.0, ignore_until - time.monotonic())) is not None:
        pass
    signal.sigwait(signals)
    os._exit(1)


def _end_on_fault(fault: threading.ExceptHookArgs) -> None:
    """End the program when a thread fails.

    A program that has ended can be started again. One that lacks a thread would go on, half dead.
    """
    try:
        name = fault.thread.name if fault.thread is not None else "?"
        lines = traceback.format_exception(fault.exc_value) if fault.exc_value is not None else []
        _tell_failure(f"thread {name} failed\n{''.join(lines).rstrip()}")
    finally:
        os._exit(1)
