"""The parent's decisions: when to start, replace, upgrade and end its children.

It does no I/O and reads no clock: `Processes` acts, and the caller passes the time. The parent's
only thread uses it.
"""

import signal
from enum import Enum, auto
from typing import Protocol

from tertulia.server.log_lines import ERROR, INFO, WARNING
from tertulia.server.supervision.deaths import MAX_DEATHS, WINDOW_S, Deaths

READY_WITHIN_S = 10.0  # for a new server to get ready in an upgrade, before it is killed
_END_WITHIN_S = 12.0  # an orderly end takes at most 10 s
_ONE_STOP_S = 0.5  # signals within this time count as one request to stop
_USAGE = 2  # the exit status after a usage error


class Phase(Enum):
    """The stage of a child's life."""

    STARTING = auto()  # checks everything that does not need the history
    READY = auto()  # waits until it may open the history
    OPENING = auto()  # may open the history
    SERVING = auto()
    LEAVING = auto()  # ends, for its successor


class Child:
    """A server process."""

    def __init__(self, pid: int, phase: Phase, started_at: float) -> None:
        self.pid = pid
        self.phase = phase
        self.started_at = started_at
        self.users: int | None = None  # None: not reported yet
        self.problem = ""  # as in /healthz
        self.has_failed = False  # whether it has reported that it cannot start

    def described(self, now: float) -> str:
        """Return its fields for the log."""
        fields = f"pid={self.pid} uptime={now - self.started_at:.1f}s"
        return fields if self.users is None else f"{fields} users={self.users}"


class Processes(Protocol):
    """The supervisor's actions on processes, and its reports."""

    def spawn(self, *, waits: bool) -> int:
        """Start a child and return its pid; with `waits` it waits for `go`. Raises OSError."""

    def tell(self, pid: int, kind: str) -> None:
        """Send a child a message without fields."""

    def kill(self, pid: int, number: signal.Signals) -> None:
        """Send a child a signal."""

    def log(self, level: int, text: str) -> None:
        """Write a log line."""

    def print_gave_up(self) -> None:
        """Print that the server dies repeatedly and the parent gives up."""

    def on_change(self) -> None:
        """Report to systemd whether a server or an upgrade is running."""


class Supervisor:
    """The parent's state."""

    def __init__(self, processes: Processes) -> None:
        self._processes = processes
        self._current: Child | None = None  # serves, or will serve
        self._successor: Child | None = None  # prepares for an upgrade
        self._deaths = Deaths()
        self._start_at: float | None = None  # the end of a pause
        # for the successor, for a child that leaves, or for a stop
        self._deadline: float | None = None
        self._stopping_since: float | None = None
        # whether all children were killed, after a second signal or too late
        self._is_killed = False
        self._wants_upgrade = False
        self._has_served = False
        self.restarts = 0  # children that died and were replaced
        self.upgrades = 0
        self._exit_status: int | None = None  # decided, although children may still be running

    @property
    def wake_at(self) -> float | None:
        """When `on_time` has something to do."""
        times = [time for time in (self._start_at, self._deadline) if time is not None]
        return min(times, default=None)

    @property
    def end_status(self) -> int | None:
        """The exit status, once everything is done."""
        return None if self._children() else self._exit_status

    @property
    def is_serving(self) -> bool:
        """Whether a child serves now and is not about to leave."""
        return self._current is not None and self._current.phase is Phase.SERVING

    @property
    def is_upgrading(self) -> bool:
        """Whether there is a successor, or one that has taken over but does not serve yet."""
        return self._successor is not None

    @property
    def is_stopping(self) -> bool:
        """Whether the orderly end has begun."""
        return self._stopping_since is not None

    def status(self) -> str:
        """Return a line for people about the state."""
        if self.is_stopping:
            return "stopping"
        if self.is_upgrading:
            return "upgrading"
        if not self.is_serving or self._current is None:
            return "starting"
        problem = self._current.problem
        return (
            (f"not well ({problem})" if problem else "serving")
            + f" pid={self._current.pid} users={self._current.users or 0}"
            f" restarts={self.restarts} upgrades={self.upgrades}"
        )

    # --- requests ------------------------------------------------------------------------------

    def start(self, now: float) -> None:
        """Start the first child. Raises OSError."""
        self._current = Child(self._processes.spawn(waits=False), Phase.OPENING, now)

    def upgrade(self, now: float) -> None:
        """Prepare a new child, which will replace the one that serves."""
        if self.is_stopping:
            return
        if self._start_at is not None:  # a new child will be started anyway
            self._start_at = None
            self._replace(now)
        elif not self.is_serving or self._successor is not None:
            self._wants_upgrade = True  # after the present change
        else:
            self._wants_upgrade = False
            try:
                pid = self._processes.spawn(waits=True)
            except OSError as error:
                self._processes.log(WARNING, f"upgrade failed error={error.strerror}")
                return
            self._successor = Child(pid, Phase.STARTING, now)
            self._deadline = now + READY_WITHIN_S
            self._processes.log(INFO, f"upgrade begun pid={pid}")
            self._processes.on_change()

    def stop(self, now: float) -> None:
        """End all children in an orderly way; at a second request, kill them."""
        if self._stopping_since is not None:
            if now - self._stopping_since >= _ONE_STOP_S:
                self._kill_all()
            return
        self._stopping_since, self._exit_status = now, 0
        self._start_at = None
        self._deadline = now + _END_WITHIN_S
        for child in self._children():
            if child.phase is Phase.SERVING:
                self._processes.tell(child.pid, "stop")
            elif child.phase is not Phase.LEAVING:
                self._processes.kill(child.pid, signal.SIGTERM)
        self._processes.on_change()

    # --- messages of children ------------------------------------------------------------------

    def on_ready(self, pid: int, now: float) -> None:
        """Let a prepared child serve as soon as no other child does."""
        child = self._child(pid)
        if child is None or self.is_stopping or child.phase is not Phase.STARTING:
            return
        child.phase = Phase.READY
        if child is self._current:  # the child before it has died
            self._allow_open(child)
        elif self._current is not None and self._current.phase is Phase.SERVING:
            self._processes.tell(self._current.pid, "hand_over")
            self._current.phase = Phase.LEAVING
            self._deadline = now + _END_WITHIN_S

    def on_serving(self, pid: int, version: str, now: float) -> None:
        """Note that a child accepts connections now."""
        child = self._child(pid)
        if child is None:
            return
        child.phase = Phase.SERVING
        if self.is_stopping:  # a signal to stop may have come too early for it: tell it again
            self._processes.tell(pid, "stop")
            return
        if self._has_served:
            self._processes.log(
                INFO,
                f"serving again pid={pid} version={version}"
                f" restarts={self.restarts} upgrades={self.upgrades}",
            )
        self._has_served = True
        self._processes.on_change()
        if self._wants_upgrade:
            self.upgrade(now)

    def on_failed(self, pid: int) -> None:
        """Note that a child cannot start. It has printed the reason."""
        child = self._child(pid)
        if child is not None:
            child.has_failed = True

    def on_alive(self, pid: int, users: int, problem: str) -> bool:
        """Note a sign of life; return whether it comes from the child that serves."""
        child = self._child(pid)
        if child is None:
            return False
        child.users, child.problem = users, problem
        return child is self._current and child.phase is Phase.SERVING

    # --- ends, and time ------------------------------------------------------------------------

    def on_exit(self, pid: int, status: int, now: float) -> None:
        """Handle the end of a child; a negative status is the signal that ended it."""
        child = self._child(pid)
        if child is None:
            return  # a successor that was given up
        if child is self._successor:
            self._on_successor_ended(child, status, now)
        else:
            self._current = None
            if self.is_stopping:
                # A child that does not serve yet ends at once at SIGTERM.
                if status not in (0, -signal.SIGTERM) and not self._is_killed:
                    self._log_end("server died while it stopped", child, status, now)
                    self._exit_status = 1
            elif child.phase is Phase.LEAVING:
                if status != 0:
                    self._log_end("server died in an upgrade", child, status, now)
                self._promote(now, is_upgrade=True)
            elif child.phase is not Phase.SERVING and self._is_final(child, status):
                self._exit_status = (
                    status  # no other child is left: only a serving one has a successor
                )
            else:
                self._on_death(child, status, now)

    def _on_successor_ended(self, child: Child, status: int, now: float) -> None:
        self._successor = None
        if self.is_stopping:
            return
        if self._current is not None and self._current.phase is not Phase.LEAVING:
            self._deadline = None
        self._processes.log(
            WARNING, f"upgrade given up: the new server ended pid={child.pid} {_how(status)}"
        )
        self._processes.on_change()
        if self._wants_upgrade:
            self.upgrade(now)

    def _is_final(self, child: Child, status: int) -> bool:
        """Return whether another start would fail for the same reason."""
        return status >= 0 and (child.has_failed or status == _USAGE or not self._has_served)

    def _on_death(self, child: Child, status: int, now: float) -> None:
        pause_s = self._deaths.add(now)
        what = "server died" if status else "server ended without being asked"
        if self._successor is not None:
            self._log_end(what, child, status, now)
            self._promote(now, is_upgrade=False)
        elif pause_s is None:
            self._log_end(what, child, status, now)
            self._processes.log(
                ERROR, f"giving up: the server died {MAX_DEATHS} times within {WINDOW_S:.0f} s"
            )
            self._processes.print_gave_up()
            self._exit_status = 1
        else:
            if pause_s == 0:
                self._replace(now)  # before writing to the log, which may block for a while
            else:
                self._start_at = now + pause_s
            then = "replaced" if pause_s == 0 else f"next_start_in={pause_s:g}s"
            self._log_end(what, child, status, now, then)
        self._processes.on_change()

    def _replace(self, now: float) -> None:
        self.restarts += 1
        try:
            pid = self._processes.spawn(waits=False)
        except OSError as error:
            self._processes.log(ERROR, f"server not started error={error.strerror}")
            self._start_at = now + 1.0
            return
        self._current = Child(pid, Phase.OPENING, now)

    def _promote(self, now: float, *, is_upgrade: bool) -> None:
        """Let the successor replace the child that has ended."""
        successor, self._successor = self._successor, None
        if successor is None:  # the successor has ended, too
            self._deadline = None
            self._replace(now)
            return
        self.upgrades += is_upgrade
        self.restarts += not is_upgrade
        self._current = successor
        if successor.phase is Phase.READY:
            self._deadline = None
            self._allow_open(successor)

    def _allow_open(self, child: Child) -> None:
        child.phase = Phase.OPENING
        self._processes.tell(child.pid, "go")

    def on_time(self, now: float) -> None:
        """Start a child after a pause, or kill children that are too late, if it is time."""
        if self._start_at is not None and now >= self._start_at:
            self._start_at = None
            self._replace(now)
        if self._deadline is None or now < self._deadline:
            return
        self._deadline = None
        if self.is_stopping:
            self._processes.log(ERROR, "stop incomplete: the server did not end in time")
            self._kill_all()
        elif self._current is not None and self._current.phase is not Phase.SERVING:
            self._processes.kill(self._current.pid, signal.SIGKILL)
        elif self._successor is not None:
            late, self._successor = self._successor, None
            self._processes.kill(late.pid, signal.SIGKILL)
            self._processes.log(
                WARNING,
                f"upgrade given up: the new server was not ready in {READY_WITHIN_S:.0f} s"
                f" pid={late.pid}",
            )
            self._processes.on_change()
            if self._wants_upgrade:
                self.upgrade(now)

    def _kill_all(self) -> None:
        self._is_killed = True
        self._exit_status = self._exit_status or 1
        for child in self._children():
            self._processes.kill(child.pid, signal.SIGKILL)

    def _children(self) -> list[Child]:
        return [child for child in (self._current, self._successor) if child is not None]

    def _child(self, pid: int) -> Child | None:
        return next((child for child in self._children() if child.pid == pid), None)

    def _log_end(self, what: str, child: Child, status: int, now: float, then: str = "") -> None:
        text = f"{what} {_how(status)} {child.described(now)} {then}"
        self._processes.log(WARNING, text.rstrip())


def _how(status: int) -> str:
    if status >= 0:
        return f"status={status}"
    try:
        return f"signal={signal.Signals(-status).name}"
    except ValueError:  # a real-time signal
        return f"signal={-status}"
