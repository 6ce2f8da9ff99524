"""Runs a server from its options to its orderly end, or does other work that they ask for."""

import contextlib
import functools
import gc
import logging
import math
import os
import secrets
import signal
import socket
import sqlite3
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

import msgspec

from tertulia.i18n import _
from tertulia.server.addresses import JoinAddress, addresses_to_join
from tertulia.server.automatic_code import automatic_code
from tertulia.server.certificates.given import CertificateUnusable
from tertulia.server.cluster.unusable import ClusterUnusable
from tertulia.server.config import AUTOMATIC_CODE, Config
from tertulia.server.end_requests import EndRequest, EndRequests
from tertulia.server.greeting import greeting
from tertulia.server.history.checks import SqliteTooOld, StoreOfAnotherVersion
from tertulia.server.history.lockfile import StoreInUse
from tertulia.server.listening import SocketUnusable, WrongPort
from tertulia.server.log_lines import for_journal, is_journal, one_line
from tertulia.server.logs import LogWriter, start_logging
from tertulia.server.operator_access import Access, grant_access, greeting_lines, withdraw_access
from tertulia.server.options import Options, parse_options
from tertulia.server.qr import can_show_qr
from tertulia.server.server import Server, fit_to_descriptors
from tertulia.server.start_failures import why_not_started
from tertulia.server.streams import drop_unwritten, write_within
from tertulia.server.supervision.activation import given_sockets
from tertulia.server.supervision.link import ParentGone, ParentLink, link_to_parent
from tertulia.server.supervision.notifier import Notifier
from tertulia.server.workers.local_socket import PathUnusable
from tertulia.wrapping import wrapped_for

_NEW_OBJECTS = 10_000  # after which the new ones are looked at for cycles: some 0.5 ms
_LOG_TIMEOUT_S = 1.0  # for a line or the last lines, because nobody may be reading them

log = logging.getLogger("tertulia.server")


def run(arguments: Sequence[str]) -> int:
    """Carry out the command line; return the exit status.

    0 stopped, 1 not started, failed or stopped at once, 2 usage.
    """
    try:
        parent = link_to_parent()
    except ParentGone:
        return 1
    try:
        return _run(arguments, parent)
    finally:
        if parent is not None:
            parent.close()


def _run(arguments: Sequence[str], parent: ParentLink | None) -> int:
    stop_signals = _end_on_stop_signals(is_child=parent is not None)
    try:
        options = parse_options(arguments)
    except SystemExit:  # for --help and --version too
        drop_unwritten()
        raise
    if not options.runs_server:
        from tertulia.server.instead import run_instead

        return run_instead(options, stop_signals)
    return _serve(options, stop_signals, parent)


def _end_on_stop_signals(*, is_child: bool) -> set[signal.Signals]:
    """Let the signals that stop the server end the program at once, and return them.

    Python's own handlers would not run while the program waits in SQLite for a locked file.
    A child leaves the signals of the terminal to its parent.
    """
    if is_child:
        of_the_terminal = {signal.SIGINT, signal.SIGHUP}
        for number in of_the_terminal:
            signal.signal(number, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, of_the_terminal)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        return {signal.SIGTERM}
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


def _serve(options: Options, stop_signals: set[signal.Signals], parent: ParentLink | None) -> int:
    # Each thread inherits this mask. So only the thread that waits for the signals gets them.
    signal.pthread_sigmask(signal.SIG_BLOCK, stop_signals)
    log_writer, notifier = start_logging(options.log_level), Notifier()
    threading.excepthook = _end_on_fault
    if parent is not None:
        parent.tell_log_level(log.getEffectiveLevel())
    config, requests = _with_secrets(options, parent), EndRequests()
    starter = _Starter(
        config, log_writer, parent, functools.partial(requests.add, EndRequest.BEGIN_ANEW)
    )
    started = starter.start(stop_signals)
    if isinstance(started, int):
        return started
    server, fitting, access = started.server, started.config, started.access
    requests.watch(stop_signals)
    listening = f"listening on {server.host} {server.port}\n"
    if parent is None:
        write_within(_LOG_TIMEOUT_S, sys.stdout, listening)
    else:
        parent.tell_serving(listening)
        parent.listen(functools.partial(_on_message, requests))
    notifier.tell_ready(f"serving on port {server.port}")
    if parent is None or parent.is_first:
        _greet(server, fitting, options, access, started.addresses, log_writer)
    server.announce()
    # The objects that exist by now stay. Examining them would make each full collection 6 to 20 ms
    # longer, and nobody is served meanwhile. Later objects are seldom in a cycle; searching for one
    # after 700 new objects, as usual, would make a registration 4 % slower.
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS)
    if fitting.max_users < config.max_users:
        log.warning(
            "fewer users fit than --max-users=%d: raise the limit of open files (ulimit -n)",
            config.max_users,
        )
    while (request := _look_after(server, requests, parent, notifier)) is EndRequest.BEGIN_ANEW:
        server.stop()
        if parent is not None:  # the parent starts another process
            return _exit(1, log_writer.stop_within(_LOG_TIMEOUT_S))
        started = starter.start(set())
        if isinstance(started, int):
            return started
        server, access = started.server, started.access
        server.announce()
        gc.unfreeze()  # the frozen objects belong to the server that has ended
        gc.collect()
        gc.freeze()
    hands_over = request is EndRequest.HAND_OVER
    notifier.tell_stopping()
    if not hands_over:
        at_once = _("Stopping. Press Ctrl+C again to stop at once.")
        log_writer.write_text(at_once if _has_terminal() else _("Stopping."))
    server.stop(hands_over=hands_over)
    if not hands_over:
        withdraw_access(access)
    return _exit(0, log_writer.stop_within(_LOG_TIMEOUT_S))


class _Started(NamedTuple):
    server: Server
    config: Config  # with as many users as fit
    access: Access
    addresses: Sequence[JoinAddress] | None


class _Starter:
    """Starts a server, and once more at the same port if a node has to begin anew."""

    def __init__(
        self,
        config: Config,
        log_writer: LogWriter,
        parent: ParentLink | None,
        begin_anew: Callable[[], None],
    ) -> None:
        self._config = config
        self._log_writer = log_writer
        self._parent = parent
        self._begin_anew = begin_anew
        self._given: Mapping[str, socket.socket] | None = None  # by systemd

    def start(self, fatal: set[signal.Signals]) -> _Started | int:
        """Start a server and return it; on a failure, print the reason and return the exit status.

        Meanwhile the `fatal` signals end the program at once.
        """
        try:
            return self._start(fatal)
        except ParentGone:
            return _exit(1, self._log_writer.stop_within(_LOG_TIMEOUT_S))
        except (
            OSError,
            sqlite3.Error,
            RuntimeError,
            CertificateUnusable,
            PathUnusable,
            SocketUnusable,
            ClusterUnusable,
            SqliteTooOld,
            StoreInUse,
            StoreOfAnotherVersion,
            WrongPort,
        ) as error:
            is_written = self._log_writer.stop_within(_LOG_TIMEOUT_S)
            _print_failure(one_line(why_not_started(self._config, error)))
            if self._parent is not None:
                self._parent.tell_failed()
            return _exit(1, is_written)

    def _start(self, fatal: set[signal.Signals]) -> _Started:
        config, parent = fit_to_descriptors(self._config), self._parent
        if self._given is None:
            self._given = given_sockets() if parent is None else {}
        given = {role: sock.dup() for role, sock in self._given.items()}
        # This may wait for a program that has locked the file, or for another child to end.
        with _ended_by(fatal):
            server = Server(
                *(config, self._log_writer.lines.qsize, parent, _exit_with_message),
                *(self._begin_anew, given),
            )
        self._config = msgspec.structs.replace(self._config, port=server.port)
        addresses = addresses_to_join(server.listener)  # before clients use up the descriptors
        access = grant_access(server, config, addresses)
        server.start()
        return _Started(server, config, access, addresses)


def _with_secrets(options: Options, parent: ParentLink | None) -> Config:
    """Return the configuration with the secrets that no option gives.

    A parent keeps them: links and codes have to hold from one child to the next.
    """
    config, kept = options.config, {} if parent is None else parent.kept
    if config.code == AUTOMATIC_CODE:
        code = kept.get("code") or automatic_code(config.port)
        config = msgspec.structs.replace(config, code=code)
        if parent is not None:
            parent.keep({}, code=code)
    if config.operator_secret is None:
        secret = kept.get("operator_secret") or secrets.token_urlsafe(24)
        config = msgspec.structs.replace(config, operator_secret=secret)
        if parent is not None:
            parent.keep({}, operator_secret=secret)
    elif options.exposed_secret is not None:
        log.warning(
            "others can read the operator's secret: chmod 600 the file path=%s",
            options.exposed_secret,
        )
    if options.exposed_credentials is not None:
        log.warning(
            "others can read the credentials for the nats-servers: chmod 600 the file path=%s",
            options.exposed_credentials,
        )
    return config


def _greet(
    server: Server,
    config: Config,
    options: Options,
    access: Access,
    addresses: Sequence[JoinAddress] | None,
    log_writer: LogWriter,
) -> None:
    """Show how to join, how to moderate the chat, and what is kept where."""
    is_terminal = sys.stderr is not None and sys.stderr.isatty()
    shows_qr = options.shows_qr and is_terminal and can_show_qr(sys.stderr.encoding)
    about_order = greeting_lines(access, config, server.port, addresses, is_terminal=is_terminal)
    text = greeting(
        config,
        server.port,
        addresses,
        shows_qr=shows_qr,
        has_terminal=_has_terminal(),
        certificate=server.certificate,
        about_order=about_order,
        other_nodes=None if server.node is None else server.node.others(),
    )
    log_writer.write_text(text)


def _has_terminal() -> bool:
    """Return whether somebody can press Ctrl+C: a service has no terminal."""
    streams = (sys.stdin, sys.stderr)
    return any(stream is not None and not stream.closed and stream.isatty() for stream in streams)


def _on_message(requests: EndRequests, kind: str) -> None:
    """Turn a message of the parent into a request to end. The thread "parent" calls this."""
    if kind == "gone":
        log.warning("the parent has ended: stopping")
    if kind == "hand_over":
        requests.add(EndRequest.HAND_OVER)
    elif kind in ("stop", "gone"):
        requests.add(EndRequest.STOP)


def _look_after(
    server: Server, requests: EndRequests, parent: ParentLink | None, notifier: Notifier
) -> EndRequest:
    """Renew the certificate and give signs of life, until there is a request to end; return it.

    If systemd watches, a sign of life is given only if all workers have done a round since the last
    one.
    """
    now = time.monotonic()
    beat_s = parent.beat_s if parent is not None else (notifier.watchdog_s or math.inf) / 2
    renew_at, beat_at = now + server.renew_every_s, now
    while True:
        request = requests.wait(max(0.0, min(renew_at, beat_at) - time.monotonic()))
        if request is not None:
            return request
        now = time.monotonic()
        if now >= renew_at:
            server.renew_certificate()
            renew_at = now + server.renew_every_s
        if now >= beat_at:
            beat_at = now + beat_s
            if (parent is not None and not parent.is_watched) or server.beat():
                notifier.tell_alive()
                if parent is not None:
                    parent.tell_alive(server.users, server.problem())


def _print_failure(text: str) -> None:
    text = f"tertulia-server: {text}"
    if is_journal(sys.stderr):
        text = for_journal(logging.ERROR, text)
    else:
        text = wrapped_for(sys.stderr, text)
    write_within(_LOG_TIMEOUT_S, sys.stderr, f"{text}\n")


def _exit(status: int, log_is_written: bool) -> int:
    """Return the exit status, or end at once if an ordinary exit would wait for stderr."""
    if not log_is_written:
        os._exit(status)
    drop_unwritten()
    return status


def _exit_with_message(words: str) -> None:
    """End the program at once, because this node cannot go on. Any thread."""
    try:
        _print_failure(one_line(words))
    finally:
        os._exit(1)


def _end_on_fault(fault: threading.ExceptHookArgs) -> None:
    """End the program when a thread fails.

    A program that has ended can be started again, but one that lacks a thread would go on without
    doing all its work.
    """
    try:
        name = fault.thread.name if fault.thread is not None else "?"
        lines = traceback.format_exception(fault.exc_value) if fault.exc_value is not None else []
        _print_failure(f"thread {name} failed\n{''.join(lines).rstrip()}")
    finally:
        os._exit(1)
