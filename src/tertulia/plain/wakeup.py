"""A bell that other threads ring and the main thread hears in its `select`."""

import contextlib
import socket
import threading


class Wakeup:
    """Rung any number of times, it is heard once; `fileno` is readable from ring to `hear`."""

    def __init__(self) -> None:
        self._receiver, self._sender = socket.socketpair()
        self._sender.setblocking(False)
        self._lock = threading.Lock()
        self._rung = False

    def ring(self) -> None:
        """Wake up who waits. Any thread; does not wait."""
        with self._lock:
            if not self._rung:
                self._rung = True
                with contextlib.suppress(OSError):  # closed: nobody waits any more
                    self._sender.send(b"\0")

    def hear(self) -> None:
        """Let the bell be rung again. Call it before looking at what it was rung for."""
        with self._lock:
            if self._rung:
                self._receiver.recv(1)
                self._rung = False

    def fileno(self) -> int:
        """Give the file to `select` on."""
        return self._receiver.fileno()

    def close(self) -> None:
        """Give the files back."""
        with self._lock:
            self._sender.close()
            self._receiver.close()
