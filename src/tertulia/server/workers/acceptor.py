"""The acceptor: a thread that accepts connections and hands them to the pool.

It reads nothing from any client, so no client can delay the next connection.
"""

import errno
import logging
import os
import select
import socket
import threading
import time
from collections.abc import Sequence
from typing import Any

from tertulia.protocol.messages import ErrorCode
from tertulia.server.config import Config
from tertulia.server.observer import ADDRESS_DENIED, Observer
from tertulia.server.supervision.listener import Listener, as_listener
from tertulia.server.workers.access import LOCAL_ADDRESS, NO_HEADER, Access, HeaderRule
from tertulia.server.workers.admission import Admission
from tertulia.server.workers.mail import AcceptedSocket
from tertulia.server.workers.pool import WorkerPool
from tertulia.server.workers.turned_away import TurnedAway

log = logging.getLogger("tertulia.server")

_BACKLOG = 1024  # connections that the kernel holds until they are accepted
_MAX_ACCEPTED_AT_ONCE = 64  # then it checks whether it has to stop
_PAUSE_S = 0.1  # when no descriptor is free; a loop without a pause would keep a core busy
_OUT_OF_DESCRIPTORS = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)

# Inherited by every accepted socket. No user timeout (ADR 8).
_TCP_OPTIONS = (
    (socket.TCP_NODELAY, 1),
    (socket.TCP_KEEPIDLE, 30),
    (socket.TCP_KEEPINTVL, 10),
    (socket.TCP_KEEPCNT, 3),
)


def listen(config: Config) -> Listener:
    """Open the listening socket, for IPv4 and, if the system has it, IPv6. Raises OSError."""
    if config.host:
        family, address = _resolve(config.host, config.port)
        sock = socket.create_server(address, family=family, backlog=_BACKLOG)
    elif socket.has_dualstack_ipv6():
        sock = socket.create_server(
            ("", config.port), family=socket.AF_INET6, backlog=_BACKLOG, dualstack_ipv6=True
        )
    else:
        sock = socket.create_server(("", config.port), backlog=_BACKLOG)
    listener = as_listener(sock)
    prepare(listener, config)
    return listener


def prepare(listener: socket.socket, config: Config) -> None:
    """Set the options of a listening socket. Raises OSError."""
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, config.send_buffer_bytes)
    if listener.family != socket.AF_UNIX:
        for option, value in _TCP_OPTIONS:
            listener.setsockopt(socket.IPPROTO_TCP, option, value)
    listener.setblocking(False)


def _resolve(host: str, port: int) -> tuple[socket.AddressFamily, Any]:
    """Return the family and the address to bind, which includes the scope id. Raises OSError."""
    try:
        info = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except UnicodeError:  # The host cannot be a name, for example "192.168..10".
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known") from None
    return info[0], info[4]


class Acceptor:
    """The accepting thread. Other threads call `start` and `stop`."""

    def __init__(
        self,
        listeners: Sequence[socket.socket],
        pool: WorkerPool,
        access: Access,
        admission: Admission,
        observer: Observer,
        turned_away: TurnedAway,
    ) -> None:
        self._observer = observer
        self._turned_away = turned_away
        self._listeners = {listener.fileno(): listener for listener in listeners}
        self._pool = pool
        self._access = access
        self._admission = admission
        self._stop_fd = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._spare = os.fdopen(os.open(os.devnull, os.O_RDONLY))
        self._resume_at = 0.0
        self._thread = threading.Thread(target=self._run, name="acceptor", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self, timeout_s: float) -> None:
        """Accept no further connections and close the listening sockets."""
        os.eventfd_write(self._stop_fd, 1)
        self._thread.join(timeout_s)

    def _run(self) -> None:
        poll = select.poll()
        poll.register(self._stop_fd, select.POLLIN)
        turned_away = self._turned_away
        watched: list[int] = []
        while True:
            now = time.monotonic()
            turned_away.on_time(now)
            for fd in watched:
                poll.unregister(fd)
            watched = turned_away.to_read
            for fd in watched:
                poll.register(fd, select.POLLIN)
            wake_at = turned_away.wake_at
            is_paused = self._resume_at > now
            for listener in self._listeners.values():
                poll.register(listener, 0 if is_paused else select.POLLIN)
            if is_paused:
                wake_at = min(self._resume_at, wake_at or self._resume_at)
            timeout_ms = None if wake_at is None else max(0.0, wake_at - now) * 1000 + 1
            ready = poll.poll(timeout_ms)
            if any(fd == self._stop_fd for fd, _ in ready):
                break
            now = time.monotonic()
            for fd, _ in ready:
                turned_away.on_ready(fd, now)
                if fd in self._listeners:
                    self._accept_all(self._listeners[fd])
        for listener in self._listeners.values():
            listener.close()
        turned_away.close()
        self._spare.close()
        os.close(self._stop_fd)

    def _accept_all(self, listener: socket.socket) -> None:
        """Accept the waiting connections and hand them over together.

        Each worker then wakes up once for all of its share.
        """
        accepted: list[AcceptedSocket] = []
        for _ in range(_MAX_ACCEPTED_AT_ONCE):
            try:
                sock, peer = listener.accept()
            except BlockingIOError:
                break
            except OSError as error:
                if error.errno in _OUT_OF_DESCRIPTORS:
                    self._on_no_descriptor(listener, error)
                    break
                # This one connection broke before it was accepted.
                log.debug("accept failed error=%s", error.strerror)
                continue
            sock.setblocking(False)
            if not peer:  # a connection over the local socket has no address
                address, header = LOCAL_ADDRESS, HeaderRule.OPTIONAL
            else:
                address = plain_address(peer[0])
                header = self._access.header_rule(address)
            is_proxy = header is not NO_HEADER
            if not is_proxy and not self._access.admits(address):
                self._observer.on_refused(address, ADDRESS_DENIED)
                sock.close()
            elif self._admission.admit(address, is_proxy=is_proxy):
                accepted.append(AcceptedSocket(sock, address, header))
            else:
                self._observer.on_refused(address, ErrorCode.SERVER_FULL)
                self._turned_away.add(sock, header, time.monotonic(), address)
        for one in self._pool.assign(accepted):
            self._admission.count_closed(one.address, is_registered=False)
            self._turned_away.add(one.sock, one.header, time.monotonic(), one.address)

    def _on_no_descriptor(self, listener: socket.socket, error: OSError) -> None:
        """Refuse one connection with the spare descriptor, then pause."""
        log.warning("accepting paused error=%s", error.strerror)
        self._spare.close()
        try:
            sock, _ = listener.accept()
        except OSError:
            pass  # the client has gone, or a worker took the descriptor: the next turn accepts it
        else:
            self._turned_away.refuse_at_once(sock)
        try:
            self._spare = os.fdopen(os.open(os.devnull, os.O_RDONLY))
        except OSError as no_spare:  # the next call tries again
            log.warning("no spare descriptor error=%s", no_spare.strerror)
        self._resume_at = time.monotonic() + _PAUSE_S


def plain_address(address: str) -> str:
    """Return an address in its plain form: an IPv4 address inside IPv6 as IPv4."""
    inner = address.removeprefix("::ffff:")
    return inner if "." in inner else address
