"""The listening sockets of the server, opened here or received from a parent or from systemd.

Only the main thread uses this. While these sockets are open, the connections that wait in them are
kept.
"""

import ipaddress
import socket
from collections.abc import Mapping
from pathlib import Path

from tertulia.server.config import Config
from tertulia.server.console.place import listen_for_consoles
from tertulia.server.supervision.activation import GIVEN_ROLE
from tertulia.server.workers.acceptor import listen, prepare
from tertulia.server.workers.local_socket import LocalSocket

_TCP, _LOCAL, _CONSOLE = "tcp", "unix", "console"  # roles


class SocketUnusable(Exception):
    """Systemd has passed a socket that the server cannot use; the text is its address."""


class WrongPort(Exception):
    """Systemd has passed a socket of another port than that of the command line."""


class Listening:
    """The listening sockets of one server.

    Raises OSError, PathUnusable, SocketUnusable or WrongPort.
    """

    def __init__(
        self, config: Config, inherited: Mapping[str, socket.socket] | None = None
    ) -> None:
        self._inherited = inherited or {}
        self._opened: dict[str, socket.socket] = {}
        given = [s for role, s in self._inherited.items() if role.startswith(GIVEN_ROLE)]
        for sock in given:
            _check(sock, config)
        tcp = [sock for sock in given if sock.family != socket.AF_UNIX]
        self.local: LocalSocket | None = None  # the socket at the path of --unix
        if not tcp:
            tcp = [self._inherited.get(_TCP) or self._open_tcp(config)]
        self.tcp = tcp[0]
        bound = str(self.tcp.getsockname()[0])
        self.host = config.host or "0.0.0.0"  # to be shown
        if given and not ipaddress.ip_address(bound).is_unspecified:
            self.host = bound
        if config.unix is not None:
            self.local = LocalSocket(
                config.unix, config.send_buffer_bytes, self._inherited.get(_LOCAL)
            )
            if self.local.listener is not self._inherited.get(_LOCAL):
                self._opened[_LOCAL] = self.local.listener
        others = [sock for sock in given if sock.family == socket.AF_UNIX]
        self.all = [*tcp, *([self.local.listener] if self.local else []), *others]
        for sock in (*tcp, *others):
            prepare(sock, config)

    def _open_tcp(self, config: Config) -> socket.socket:
        self._opened[_TCP] = sock = listen(config)
        return sock

    def open_console(self, path: Path) -> socket.socket:
        """Return the socket for consoles. Raises PlaceTaken or OSError."""
        inherited = self._inherited.get(_CONSOLE)
        if inherited is not None and path.exists():
            return inherited
        self._opened[_CONSOLE] = sock = listen_for_consoles(path)
        return sock

    def pop_opened(self) -> dict[str, socket.socket]:
        """Return the sockets by role that were opened here since the last call."""
        opened, self._opened = self._opened, {}
        return opened


def _check(sock: socket.socket, config: Config) -> None:
    families = (socket.AF_INET, socket.AF_INET6, socket.AF_UNIX)
    is_stream = sock.family in families and sock.type == socket.SOCK_STREAM
    if not is_stream or not sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
        raise SocketUnusable(str(sock.getsockname()))
    if sock.family != socket.AF_UNIX:
        port = sock.getsockname()[1]
        if config.port not in (0, port):
            raise WrongPort(str(port))
