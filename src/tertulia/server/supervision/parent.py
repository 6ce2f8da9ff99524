"""The parent process: it starts the server as its child, watches it, and handles signals.

It holds the listening sockets, so that connections wait in them while there is no server, and a
few values that must not change. It has one thread, which waits only in `poll`, and imports little.
"""

import os
import select
import signal
import socket
import sys
import time

from tertulia.i18n import _
from tertulia.server.log_lines import ERROR, INFO, for_journal, is_journal, log_line
from tertulia.server.streams import write_within
from tertulia.server.supervision.activation import given_sockets
from tertulia.server.supervision.channel import CHANNEL_VARIABLE, Channel, Message, open_channel
from tertulia.server.supervision.hangup import Hangups, Terminal
from tertulia.server.supervision.notifier import Notifier
from tertulia.server.supervision.supervisor import Supervisor

_WRITE_TIMEOUT_S = 0.5  # for a line, in case nobody reads stderr
_BEAT_S = 5.0  # between a child's signs of life, if systemd does not ask for them more often
_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)
# Signals of the terminal go to the child, too, but only the parent handles them.
_OF_THE_TERMINAL = (signal.SIGINT, signal.SIGHUP)


def supervise() -> int:
    """Run this program's command line in a child and replace it if it dies; return the status."""
    return Parent().run()


class Parent:
    """The process that holds everything that outlives a child."""

    def __init__(self) -> None:
        self._started_at = time.time()
        self._signals, wake_up = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._ignores_hangup = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN  # nohup
        for number in _SIGNALS:
            signal.signal(number, _note)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
        signal.set_wakeup_fd(wake_up, warn_on_full_buffer=False)
        self._notifier = Notifier()
        watchdog_s = self._notifier.watchdog_s
        self._beat_s = _BEAT_S if watchdog_s is None else min(_BEAT_S, watchdog_s / 2)
        self._answered_at = 0.0  # when the parent itself last answered systemd's watchdog
        self._terminal, self._hangups = Terminal(), Hangups()
        self._supervisor = Supervisor(self)
        self._channels: dict[int, Channel] = {}  # by the child's pid
        self._sockets: dict[str, socket.socket] = {}  # by role
        self._kept: dict[str, str] = {}  # values that stay the same from child to child
        self._lowest_level = INFO
        self._has_announced = False

    def run(self) -> int:
        """Start the first child, and handle events until the end."""
        try:
            self._sockets = given_sockets()
            self._supervisor.start(time.monotonic())
        except OSError as error:
            self.log(ERROR, f"server not started error={error.strerror}")
            return 1
        while (status := self._supervisor.end_status) is None:
            self._wait()
            self._on_signals()
            self._reap()
            self._supervisor.on_time(time.monotonic())
            self._answer_for_child()
        for sock in self._sockets.values():
            sock.close()
        for channel in self._channels.values():
            channel.close()
        self._notifier.close()
        return status

    def _answer_for_child(self) -> None:
        """Answer the watchdog while no child can."""
        now = time.monotonic()
        if not self._supervisor.is_serving and now >= self._answered_at + self._beat_s:
            self._answered_at = now
            self._notifier.tell_alive()

    def _wait(self) -> None:
        """Wait for the next event, and read the children's messages."""
        poll = select.poll()
        poll.register(self._signals, select.POLLIN)
        if self._terminal.fileno() >= 0:
            poll.register(self._terminal.fileno(), 0)
        by_descriptor = {channel.fileno(): pid for pid, channel in self._channels.items()}
        for descriptor in by_descriptor:
            poll.register(descriptor, select.POLLIN)
        for descriptor, _event in poll.poll(self._time_to_wait_ms()):
            if descriptor in by_descriptor:
                self._read(by_descriptor[descriptor])

    def _time_to_wait_ms(self) -> float | None:
        wake_at = self._supervisor.wake_at
        waits_s = [] if wake_at is None else [max(0.0, wake_at - time.monotonic())]
        if self._notifier.watchdog_s is not None and not self._supervisor.is_serving:
            waits_s.append(self._beat_s)
        return min(waits_s) * 1000 + 1 if waits_s else None

    # --- signals -------------------------------------------------------------------------------

    def _on_signals(self) -> None:
        try:
            numbers = os.read(self._signals, 1024)
        except BlockingIOError:
            numbers = b""
        now = time.monotonic()
        # Not before the signals are read: a terminal closes just before its SIGHUP comes.
        if self._terminal.has_gone() and self._hangups.on_terminal_gone(now):
            self._on_hangup(now)
        for number in numbers:
            if number in (signal.SIGTERM, signal.SIGINT):
                self._supervisor.stop(now)
            elif number == signal.SIGHUP and self._hangups.on_signal(now):
                self._on_hangup(now)
            elif number == signal.SIGHUP:
                self._supervisor.upgrade(now)

    def _on_hangup(self, now: float) -> None:
        if not self._ignores_hangup:
            self._supervisor.stop(now)

    def _reap(self) -> None:
        """Collect ended children, and those of others if this is a container's first process.

        Messages that a child has sent before its end are read first.
        """
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            while pid in self._channels:
                self._read(pid)
            self._supervisor.on_exit(pid, os.waitstatus_to_exitcode(status), time.monotonic())

    # --- messages of children ------------------------------------------------------------------

    def _read(self, pid: int) -> None:
        message = self._channels[pid].receive()
        if message is None:
            self._channels.pop(pid).close()
        else:
            self._on_message(pid, message)

    def _on_message(self, pid: int, message: Message) -> None:
        now, fields = time.monotonic(), message.fields
        match message.kind:
            case "keep":
                for role, sock in message.sockets.items():
                    if role in self._sockets:  # its file was removed, so a new socket was opened
                        self._sockets[role].close()
                    self._sockets[role] = sock
                self._kept |= fields
            case "log_level":
                self._lowest_level = fields["lowest"]
            case "ready":
                self._supervisor.on_ready(pid, now)
            case "failed":
                self._supervisor.on_failed(pid)
            case "serving":
                if not self._has_announced:
                    self._has_announced = True
                    write_within(_WRITE_TIMEOUT_S, sys.stdout, fields["announcement"])
                self._supervisor.on_serving(pid, fields["version"], now)
            case "alive":
                # A child of an older version, after a downgrade, sends no problem.
                if self._supervisor.on_alive(pid, fields["users"], fields.get("problem", "")):
                    self._notifier.tell_alive()
                    self._notifier.tell_status(self._supervisor.status())

    # --- for the supervisor: its Processes -----------------------------------------------------

    def spawn(self, *, waits: bool) -> int:
        """Start a new interpreter with the code that is installed now."""
        ours, theirs = open_channel()
        with theirs:
            theirs.set_inheritable(True)
            environment = os.environ | {CHANNEL_VARIABLE: str(theirs.fileno())}
            try:
                pid = os.posix_spawn(
                    sys.executable,
                    [sys.executable, *sys.orig_argv[1:]],
                    environment,
                    setsigmask=_OF_THE_TERMINAL,
                )
            except OSError:
                ours.close()
                raise
        ours.send(
            "hello",
            self._sockets,
            kept=self._kept,
            waits=waits,
            is_first=not self._has_announced,
            beat_s=self._beat_s,
            is_watched=self._notifier.watchdog_s is not None,
            pid=os.getpid(),
            started_at=self._started_at,
            **self._counters(),
        )
        self._channels[pid] = ours
        return pid

    def tell(self, pid: int, kind: str) -> None:
        """Send a child a message with the present counters; kill it if it does not read."""
        channel = self._channels.get(pid)
        if channel is None or not channel.send(kind, None, **self._counters()):
            self.kill(pid, signal.SIGTERM)

    def _counters(self) -> dict[str, int]:
        return {"restarts": self._supervisor.restarts, "upgrades": self._supervisor.upgrades}

    def kill(self, pid: int, number: signal.Signals) -> None:
        """Send a child a signal. It was not collected yet, so its pid is still valid."""
        os.kill(pid, number)

    def log(self, level: int, text: str) -> None:
        """Write a log line, unless its level is too low."""
        if level >= self._lowest_level:
            line = log_line(level, text, time.time())
            self._write(for_journal(level, line) if is_journal(sys.stderr) else line)

    def print_gave_up(self) -> None:
        """Print that the parent gives up."""
        text = _("the server died again and again: look at the log above, then start it again")
        text = f"tertulia-server: {text}"
        self._write(for_journal(ERROR, text) if is_journal(sys.stderr) else text)

    def on_change(self) -> None:
        """Report the state to systemd."""
        supervisor, status = self._supervisor, self._supervisor.status()
        if supervisor.is_stopping:
            self._notifier.tell_stopping()
        elif supervisor.is_upgrading:
            self._notifier.tell_reloading(status)
        elif supervisor.is_serving:
            self._notifier.tell_ready(status)
        else:
            self._notifier.tell_status(status)

    def _write(self, line: str) -> None:
        write_within(_WRITE_TIMEOUT_S, sys.stderr, f"{line}\n")


def _note(_number: int, _frame: object) -> None:
    """Do nothing: the number of the signal is in the pipe, where `poll` finds it."""
