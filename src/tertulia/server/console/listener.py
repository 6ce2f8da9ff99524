"""The thread that accepts consoles: programs on this machine, run by the server's user or by root.

It hands each one to a worker and reads nothing from them. So even a full server, or one under
attack, lets its operator in. It also measures the server for live views.
"""

import logging
import os
import select
import socket
import threading
from pathlib import Path

from tertulia.protocol.lines import encode
from tertulia.server.console.place import is_allowed, is_view
from tertulia.server.refusals import console_refused
from tertulia.server.workers.admission import Admission
from tertulia.server.workers.connections import CONSOLE_ADDRESS, VIEW_ADDRESS
from tertulia.server.workers.measure_requests import MeasureRequests
from tertulia.server.workers.pool import WorkerPool

log = logging.getLogger("tertulia.server")

_PAUSE_S = 0.1  # after an error: without a pause, a lack of descriptors would keep a core busy


class ConsoleListener:
    """The accepting thread. Other threads call `start` and `stop`."""

    def __init__(
        self,
        path: Path,
        listener: socket.socket,
        pool: WorkerPool,
        admission: Admission,
        measure_requests: MeasureRequests,
    ) -> None:
        """Open a listening socket at this path. Raises OSError."""
        self._path = path
        self._pool = pool
        self._admission = admission
        self._measure_requests = measure_requests
        self._listener = listener
        self._keeps_path = False
        self._inode = os.stat(path)
        self._stop_fd = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._thread = threading.Thread(target=self._run, name="console", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self, timeout_s: float, *, keep_path: bool = False) -> None:
        """Accept no further consoles; remove the socket unless another process has it, too."""
        self._keeps_path = keep_path
        os.eventfd_write(self._stop_fd, 1)
        self._thread.join(timeout_s)

    def _run(self) -> None:
        poll = select.poll()
        poll.register(self._stop_fd, select.POLLIN)
        poll.register(self._listener, select.POLLIN)
        looks_fd = self._measure_requests.open()
        poll.register(looks_fd, select.POLLIN)
        while True:
            ready = {fd for fd, _ in poll.poll()}
            if self._stop_fd in ready:
                break
            if looks_fd in ready:
                self._measure_requests.answer_all()
            if self._listener.fileno() not in ready:
                continue
            try:
                sock, peer = self._listener.accept()
            except BlockingIOError:
                continue
            except OSError as error:
                log.warning("console not accepted error=%s", error.strerror)
                select.select([self._stop_fd], [], [], _PAUSE_S)
                continue
            self._hand_over(sock, VIEW_ADDRESS if is_view(peer) else CONSOLE_ADDRESS)
        if not self._keeps_path:
            self._remove()
        self._listener.close()
        self._measure_requests.close()
        os.close(self._stop_fd)

    def _hand_over(self, sock: socket.socket, address: str) -> None:
        sock.setblocking(False)
        if not is_allowed(sock):
            log.warning("console refused: it is not run by the server's user or root")
            self._turn_away(sock, "only the server's own user and root may use the console")
        elif not self._admission.admit_console():
            self._turn_away(sock, "too many consoles are open: close one of them")
        elif not self._pool.assign_console(sock, address):
            self._admission.count_console_closed()
            self._turn_away(sock, "the server has no room for a console now")

    def _turn_away(self, sock: socket.socket, reason: str) -> None:
        with sock:
            try:
                sock.send(encode(console_refused(reason)))
            except OSError as error:  # the console is gone
                log.debug("refusal not sent error=%s", error.strerror)

    def _remove(self) -> None:
        """Remove the socket's file, unless it belongs to another server now."""
        try:
            if os.path.samestat(os.stat(self._path), self._inode):
                self._path.unlink()
        except FileNotFoundError:
            pass  # somebody has removed it
        except OSError as error:
            log.warning("console not removed error=%s path=%s", error, self._path)
