"""Tells systemd that the server is ready, alive, reloading or stopping (sd_notify).

It does nothing in a program that systemd has not started. One thread uses it.
"""

import contextlib
import os
import socket
import time
from collections.abc import MutableMapping

_SEND_TIMEOUT_S = 1.0
_VARIABLES = ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID")


class Notifier:
    """Sends to systemd. It removes the variables from the environment: they are for one process.

    `watchdog_s` is the time within which systemd expects a sign of life; None if it does not.
    """

    def __init__(self, environment: MutableMapping[str, str] = os.environ) -> None:
        address, within_us, process = (environment.pop(name, "") for name in _VARIABLES)
        self._sock: socket.socket | None = None
        self._status = ""  # the last one that was sent
        self.watchdog_s: float | None = None
        if not address.startswith(("/", "@")):
            return
        self._address = f"\0{address[1:]}" if address[0] == "@" else address
        self._sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._sock.settimeout(_SEND_TIMEOUT_S)
        if within_us.isdecimal() and int(within_us) and process in ("", str(os.getpid())):
            self.watchdog_s = int(within_us) / 1e6

    def tell(self, *lines: str) -> None:
        """Send assignments such as `READY=1`; wait a moment if systemd does not read."""
        if self._sock is not None:
            # A failure cannot be reported. If it lasts, systemd ends the service itself.
            with contextlib.suppress(OSError):
                self._sock.sendto("\n".join(lines).encode(), self._address)

    def close(self) -> None:
        """Send nothing more. Idempotent."""
        if self._sock is not None:
            self._sock.close()
            self._sock = None

    def tell_ready(self, status: str) -> None:
        """Report that the server serves, also after a change of the child."""
        self._status = status
        self.tell("READY=1", f"STATUS={status}")

    def tell_status(self, status: str) -> None:
        """Report the status, unless it has not changed."""
        if status != self._status:
            self._status = status
            self.tell(f"STATUS={status}")

    def tell_reloading(self, status: str) -> None:
        """Report that an upgrade has begun; `tell_ready` ends it."""
        self._status = status
        now_us = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        self.tell("RELOADING=1", f"MONOTONIC_USEC={now_us}", f"STATUS={status}")

    def tell_alive(self) -> None:
        """Answer the watchdog."""
        if self.watchdog_s is not None:
            self.tell("WATCHDOG=1")

    def tell_stopping(self) -> None:
        """Report that the orderly end has begun."""
        self.tell("STOPPING=1")
