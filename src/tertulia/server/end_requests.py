"""Requests to end a server that runs, by signals and the parent. The main thread waits for them."""

import os
import queue
import signal
import threading
import time
from enum import Enum, auto

# Signals within this time are one request to stop: a closed terminal and its shell send one each.
_ONE_STOP_S = 0.5


class EndRequest(Enum):
    """How the server has to end."""

    STOP = auto()
    HAND_OVER = auto()  # another process goes on at the same sockets
    BEGIN_ANEW = auto()  # start again in this process, with the state of another node


class EndRequests:
    """A queue of requests, and the thread that waits for signals. Any thread may `add`."""

    def __init__(self) -> None:
        # It needs no bound: there are only a few requests before the program ends.
        self._requests: queue.SimpleQueue[EndRequest] = queue.SimpleQueue()

    def add(self, request: EndRequest) -> None:
        """Add a request."""
        self._requests.put(request)

    def wait(self, timeout_s: float) -> EndRequest | None:
        """Return the next request, or None if there is none in time."""
        try:
            return self._requests.get(timeout=min(timeout_s, threading.TIMEOUT_MAX))
        except queue.Empty:
            return None

    def watch(self, signals: set[signal.Signals]) -> None:
        """Add a request to stop for each of these signals, which all threads have blocked.

        A second signal ends the program at once, unless it comes together with the first.
        """

        def wait_for_signals() -> None:
            signal.sigwait(signals)
            self.add(EndRequest.STOP)
            ignore_until = time.monotonic() + _ONE_STOP_S
            while signal.sigtimedwait(signals, max(0.0, ignore_until - time.monotonic())):
                pass
            signal.sigwait(signals)
            os._exit(1)

        threading.Thread(target=wait_for_signals, name="signals", daemon=True).start()
