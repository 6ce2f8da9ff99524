"""`tertulia-server PORT`: from the command line to a running server, and to its orderly end."""

import contextlib
import errno
import logging
import os
import signal
import socket
import sqlite3
import sys
import threading
import traceback
from pathlib import Path

from tertulia.i18n import _, language_option, ngettext, set_language
from tertulia.server.config import Config
from tertulia.server.history.export import backup, export
from tertulia.server.history.store import StoreInUse, StoreOfAnotherVersion
from tertulia.server.logs import LogWriter, start_logging
from tertulia.server.options import parse_options
from tertulia.server.server import Server, addresses_to_join, raise_descriptor_limit
from tertulia.version import __version__

_LOG_TIMEOUT_S = 1.0  # for the last lines, if somebody reads them

log = logging.getLogger("tertulia.server")


def main(arguments: list[str] | None = None) -> int:
    """Run the server until a signal ends it; return the exit status."""
    # Blocked here, before any thread is there to get them: the main thread waits for them.
    stop_signals = {signal.SIGTERM, signal.SIGINT}
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # as nohup sets it
        stop_signals.add(signal.SIGHUP)
    signal.pthread_sigmask(signal.SIG_BLOCK, stop_signals)
    set_language(language_option(sys.argv[1:] if arguments is None else arguments))
    config, log_level, export_to, backup_to = parse_options(arguments)
    if config.history is not None and export_to is not None:
        return export(Path(config.history), export_to)
    if config.history is not None and backup_to is not None:
        return backup(Path(config.history), backup_to)
    log_writer = start_logging(log_level)
    users_that_fit = raise_descriptor_limit(config)
    threading.excepthook = _end_on_fault
    try:
        addresses = addresses_to_join(config)  # now, while nobody can take the last descriptor
        server = Server(config)
        server.start()
    except (OSError, sqlite3.Error, RuntimeError, StoreInUse, StoreOfAnotherVersion) as error:
        print(f"tertulia-server: {_why_not_started(config, error)}", file=sys.stderr)
        return 1
    _greet(log_writer, config, server.port, addresses, users_that_fit)
    signal.sigwait(stop_signals)
    log_writer.say(_("Stopping. Press Ctrl-C again to stop at once."))
    threading.Thread(target=_stop_at_once_on, args=(stop_signals,), daemon=True).start()
    server.stop()
    if not log_writer.stop_within(_LOG_TIMEOUT_S):
        os._exit(0)  # the interpreter would wait for the stream that the thread is stuck in
    return 0


def _end_on_fault(fault: threading.ExceptHookArgs) -> None:
    """End the program with a thread: one that is dead can be started again, half of one cannot."""
    try:
        name = fault.thread.name if fault.thread is not None else "?"
        lines = traceback.format_exception(fault.exc_value) if fault.exc_value is not None else []
        text = f"tertulia-server: thread {name} failed\n{''.join(lines)}".encode()
        # In a thread, for whoever reads stderr may have stopped.
        writer = threading.Thread(target=_write_to_stderr, args=(text,), daemon=True)
        writer.start()
        writer.join(_LOG_TIMEOUT_S)
    finally:
        os._exit(1)


def _write_to_stderr(text: bytes) -> None:
    with contextlib.suppress(OSError):  # nobody reads it any more
        os.write(2, text)


def _stop_at_once_on(signals: set[signal.Signals]) -> None:
    signal.sigwait(signals)
    os._exit(1)


# --- what people see ---------------------------------------------------------------------------


def _greet(
    log_writer: LogWriter, config: Config, port: int, addresses: list[str], users_that_fit: int
) -> None:
    print(f"listening on {config.host or '0.0.0.0'} {port}", flush=True)
    opened = _("tertulia {version} is open on port {port}. To join:")
    room = ngettext(
        "There is room for one user.", "There is room for {count} users.", users_that_fit
    )
    kept = _("What is said to all is kept in {path}") if config.history else _("Nothing is kept.")
    how_to_stop, name = _("Ctrl-C stops the server."), _("NAME")
    lines = [
        opened.format(version=__version__, port=port),
        "",
        *(f"    tertulia {name} {address} {port}" for address in addresses or ["127.0.0.1"]),
        "",
        f"{room.format(count=users_that_fit)} {how_to_stop}",
        kept.format(path=config.history),
    ]
    log_writer.say("\n".join(lines))
    if users_that_fit < config.max_users:
        log.warning(
            "fewer users fit than --max-users=%d: raise the limit of open files (ulimit -n)",
            config.max_users,
        )


def _why_not_started(config: Config, error: Exception) -> str:
    if isinstance(error, StoreOfAnotherVersion):
        return _(
            "{path} is not a history that this version can read: choose --history FILE, or off"
        ).format(path=error)
    if isinstance(error, StoreInUse):
        return _("another server writes the history {path}: stop it, or choose --history").format(
            path=error
        )
    if isinstance(error, RuntimeError):  # of threading
        return _("cannot start a thread: allow this user more processes (ulimit -u)")
    if isinstance(error, OSError) and error.errno in (errno.EMFILE, errno.ENFILE):
        return _("cannot open enough files: raise the limit of open files (ulimit -n)")
    if not isinstance(error, OSError) or error.filename is not None:
        text = _("cannot open the history {path}: {reason} (--history off does without)")
        return text.format(path=config.history, reason=getattr(error, "strerror", None) or error)
    if isinstance(error, PermissionError):
        return _("no right to open port {port}: take one from 1024 on, 5000 for example").format(
            port=config.port
        )
    if error.errno == errno.EADDRINUSE:
        return _(
            "port {port} is in use: another server runs there; stop it or take another port"
        ).format(port=config.port)
    reason: str | None = error.strerror
    if error.errno is not None and not isinstance(error, socket.gaierror):
        reason = os.strerror(error.errno)  # without what Python adds to it
    return _(
        "cannot listen on {host}: {reason}. Give an address of this machine, or leave --host out"
    ).format(host=config.host or "*", reason=reason or error)


if __name__ == "__main__":
    sys.exit(main())
