"""Decides how many connections may be open, and how many of them may be unregistered."""

import threading

from tertulia.server.config import Config

_MAX_CONSOLES = 8  # their descriptors are part of the server's own reserve


class Admission:
    """Counts connections, and decides whether one more may come in. Any thread may call."""

    def __init__(self, config: Config) -> None:
        self._lock = threading.Lock()
        self._max_users = config.max_users
        self._max_open = config.max_users + config.max_unregistered
        self._max_per_address = (
            None if config.shared_addresses else config.max_unregistered_per_address
        )
        self._open = 0
        self._unregistered: dict[str, int] = {}
        self._registered = 0
        self._consoles = 0

    @property
    def is_full(self) -> bool:
        """Whether the maximum number of users is registered here. Any thread, without the lock."""
        return self._registered >= self._max_users

    def admit(self, address: str, *, is_proxy: bool = False) -> bool:
        """Count one more connection; return False if there is no room for it.

        Until a proxy has named a user's address, only the limit for all addresses applies to it.
        """
        with self._lock:
            from_there, most = self._unregistered.get(address, 0), self._max_per_address
            has_room = most is None or from_there < most or is_proxy
            if self._open >= self._max_open or not has_room:
                return False
            self._open += 1
            self._unregistered[address] = from_there + 1
            return True

    def admit_console(self) -> bool:
        """Count one more console, which even a full server accepts; False if there are too many."""
        with self._lock:
            if self._consoles >= _MAX_CONSOLES:
                return False
            self._consoles += 1
            return True

    def count_console_closed(self) -> None:
        """Count a console whose socket is closed."""
        with self._lock:
            self._consoles -= 1

    def count_elsewhere(self, address: str, named: str) -> bool:
        """Count a proxy's connection for the address that the proxy has named.

        Returns False if that address has too many connections; this one is counted all the same.
        """
        with self._lock:
            self._forget_unregistered(address)
            most = self._max_per_address
            is_admitted = most is None or self._unregistered.get(named, 0) < most
            self._count_unregistered(named)
            return is_admitted

    def count_registered(self, address: str) -> None:
        """Count a connection as registered from now on."""
        with self._lock:
            self._registered += 1
            self._forget_unregistered(address)

    def count_released(self, address: str) -> None:
        """Count an open connection whose session has ended as unregistered from now on."""
        with self._lock:
            self._registered -= 1
            self._count_unregistered(address)

    def count_closed(self, address: str, *, is_registered: bool) -> None:
        """Count a closed connection; `is_registered` says whether it had a session until now."""
        with self._lock:
            self._open -= 1
            if is_registered:
                self._registered -= 1
            else:
                self._forget_unregistered(address)

    def _count_unregistered(self, address: str) -> None:
        self._unregistered[address] = self._unregistered.get(address, 0) + 1

    def _forget_unregistered(self, address: str) -> None:
        left = self._unregistered.pop(address) - 1
        if left:
            self._unregistered[address] = left
