"""One server: its parts put together, started, and stopped in order."""

import ipaddress
import logging
import resource
import time
from pathlib import Path

import ifaddr

from tertulia.server.config import Config
from tertulia.server.history.history import History
from tertulia.server.hub.hub import Hub
from tertulia.server.workers.acceptor import Acceptor, listen
from tertulia.server.workers.limits import Admission
from tertulia.server.workers.pool import WorkerPool

log = logging.getLogger("tertulia.server")

_OTHER_DESCRIPTORS = 96  # the server's own files, and up to 64 refused sockets that linger
_STOP_TIMEOUT_S = 8.0  # with time to spare to the 10 s in which a stop has to be done


class Server:
    """A server of the given configuration.

    The constructor opens the listening socket (OSError if it cannot) and the history (StoreInUse,
    StoreOfAnotherVersion, OSError or sqlite3.Error); `start` begins to serve, `stop` ends it. All
    three in one thread.
    """

    def __init__(self, config: Config) -> None:
        self._config = config
        self._listener = listen(config)
        self.port: int = self._listener.getsockname()[1]
        self.history = None if config.history is None else History(Path(config.history), config)
        self.hub = Hub(config, self.history)
        admission = Admission(config)
        self._pool = WorkerPool(config, self.hub, admission)
        self._acceptor = Acceptor(self._listener, self._pool, admission)

    def start(self) -> None:
        """Serve, in threads of its own."""
        if self.history is not None:
            self.history.start()
        self._pool.start()
        self._acceptor.start()

    def stop(self) -> None:
        """Accept nobody any more, say goodbye to all, write what is to be written, close.

        The log tells what was not done in time.
        """
        give_up_at = time.monotonic() + _STOP_TIMEOUT_S
        self._acceptor.stop(_STOP_TIMEOUT_S)
        if not self._pool.drain(max(0.0, give_up_at - time.monotonic())):
            log.error("stop incomplete: some connections were cut off")
        left_s = max(0.5, give_up_at - time.monotonic())
        if self.history is not None and not self.history.stop(left_s):
            log.error("stop incomplete: the last messages may not be on the disk")


def raise_descriptor_limit(config: Config) -> int:
    """Take as many file descriptors as the system gives; return how many users fit into them."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    per_session = 1 if config.threads is not None else 3  # an epoll and an eventfd of its own
    room = hard - _OTHER_DESCRIPTORS - config.max_unregistered
    return max(0, min(config.max_users, room // per_session))


def addresses_to_join(config: Config) -> list[str]:
    """List the addresses of this machine at which others reach the server, IPv4 first."""
    if config.host:
        return [config.host]
    found: list[ipaddress.IPv4Address | ipaddress.IPv6Address] = []
    for adapter in ifaddr.get_adapters():
        for ip in adapter.ips:
            text = ip.ip if isinstance(ip.ip, str) else ip.ip[0]
            address = ipaddress.ip_address(text)
            if not address.is_loopback and not address.is_link_local:
                found.append(address)
    return [str(address) for address in sorted(found, key=lambda a: (a.version, int(a)))]
