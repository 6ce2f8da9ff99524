"""One server: creates its parts, starts them, and stops them in order."""

import logging
import resource
import time
from pathlib import Path

from tertulia.server.config import Config
from tertulia.server.doors.native import NativeDoor
from tertulia.server.history.history import History
from tertulia.server.hub.hub import Hub
from tertulia.server.observer import Observer
from tertulia.server.workers.acceptor import Acceptor, listen
from tertulia.server.workers.admission import Admission
from tertulia.server.workers.pool import WorkerPool
from tertulia.server.workers.shared import Shared

log = logging.getLogger("tertulia.server")

_OTHER_DESCRIPTORS = 96  # the server's own files, and up to 64 refused sockets that linger
_STOP_TIMEOUT_S = 8.0  # a stop has to be done within 10 s, whatever clients do


class Server:
    """A server of the given configuration.

    The constructor opens the listening socket (OSError if it cannot) and the history (StoreInUse,
    StoreOfAnotherVersion, OSError or sqlite3.Error); `start` begins to serve, `stop` ends it. All
    three in one thread.
    """

    def __init__(self, config: Config) -> None:
        self._config = config
        self.listener = listen(config)
        self.port: int = self.listener.getsockname()[1]
        self.history = None if config.history is None else History(Path(config.history), config)
        self.hub = Hub(config, self.history)
        admission, observer = Admission(config), Observer()
        shared = Shared(config, self.hub, self.history, admission, NativeDoor)
        self._pool = WorkerPool(shared, observer)
        self._acceptor = Acceptor(self.listener, self._pool, admission, observer)

    def start(self) -> None:
        """Start the threads that serve."""
        if self.history is not None:
            self.history.start()
        self._pool.start()
        self._acceptor.start()

    def stop(self) -> None:
        """Stop accepting, say goodbye to every client, and write the history to disk.

        What could not be done in time is logged.
        """
        give_up_at = time.monotonic() + _STOP_TIMEOUT_S
        self._acceptor.stop(_STOP_TIMEOUT_S)
        if not self._pool.drain(max(0.0, give_up_at - time.monotonic())):
            log.error("stop incomplete: some connections were cut off")
        left_s = max(0.5, give_up_at - time.monotonic())
        if self.history is not None and not self.history.stop(left_s):
            log.error("stop incomplete: the last messages may not be on the disk")


def raise_descriptor_limit(config: Config) -> int:
    """Raise the limit of open files as far as it goes; return how many users that allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    per_session = 1 if config.threads is not None else 3  # an epoll and an eventfd of its own
    room = hard - _OTHER_DESCRIPTORS - config.max_unregistered
    return max(0, min(config.max_users, room // per_session))
