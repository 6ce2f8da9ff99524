"""Asks a running server of this user for its figures, over the socket of the operator's console.

It blocks, so the screen calls it in a separate thread. Every failure is a NotSeen, whose text
explains the problem and what to do.
"""

import contextlib
import itertools
import os
import pwd
import socket
from pathlib import Path

import msgspec

from tertulia.i18n import _
from tertulia.protocol.lines import LineBuffer, encode
from tertulia.protocol.messages import Closing, Error, ErrorCode, Ping, Pong
from tertulia.protocol.watching import MeasuresTaken, TakeMeasures
from tertulia.server.console.place import connect_to_console, console_path

_ANSWER_WITHIN_S = 15.0  # a thousand threads also wait for each other
_RECEIVE_BYTES = 262_144
_MAX_LINE_BYTES = 64 * 1024 * 1024  # for a server with many threads; this program trusts it

_decoder = msgspec.json.Decoder(MeasuresTaken | Error | Ping | Closing)


class NotSeen(Exception):
    """The figures are unavailable now; the text explains why."""

    @property
    def short(self) -> str:
        """Return the problem in a few words."""
        return str(self)


class NotServing(NotSeen):
    """No server of this user runs on this port."""

    @property
    def short(self) -> str:
        """Return the problem in a few words."""
        return _("no server on this port")


class Asking:
    """The connection to one server, which is made again after it has ended."""

    def __init__(self, directory: Path, port: int) -> None:
        self._path = console_path(directory, port)
        self._port = port
        self._ids = itertools.count(1)
        self._sock: socket.socket | None = None
        self._buffer = LineBuffer(_MAX_LINE_BYTES)

    def look(self) -> MeasuresTaken:
        """Return the present figures. Raises NotSeen."""
        try:
            return self._look()
        except TimeoutError:
            self.close()
            raise NotSeen(_("the server does not answer")) from None
        except OSError:
            self.close()
            raise NotSeen(_("the server has stopped")) from None
        except NotSeen:
            self.close()
            raise

    def close(self) -> None:
        """End the connection. Any thread may call it; a request under way fails."""
        sock, self._sock = self._sock, None
        if sock is not None:
            with contextlib.suppress(OSError):  # the server has already closed it
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()

    def _look(self) -> MeasuresTaken:
        sock = self._sock or self._connect()
        number = next(self._ids)
        sock.sendall(encode(TakeMeasures(id=number)))
        while True:
            while (line := self._buffer.next_line()) is not None:
                taken = self._read(sock, line)
                if taken is not None and taken.id == number:
                    return taken
            data = sock.recv(_RECEIVE_BYTES)
            if not data:
                raise NotSeen(_("the server has stopped"))
            self._buffer.feed(data)

    def _read(self, sock: socket.socket, line: bytes) -> MeasuresTaken | None:
        try:
            message = _decoder.decode(line)
        except msgspec.DecodeError:
            raise NotSeen(_another_version()) from None
        match message:
            case Error(code=ErrorCode.UNKNOWN_TYPE):
                raise NotSeen(_another_version())
            case Error():
                raise NotSeen(_("the server refuses: {reason}").format(reason=message.message))
            case Closing():
                raise NotSeen(_("the server has stopped"))
            case Ping():
                sock.sendall(encode(Pong(id=message.id)))
            case MeasuresTaken():
                return message
        return None

    def _connect(self) -> socket.socket:
        try:
            sock = connect_to_console(self._path, as_view=True)
        except (FileNotFoundError, ConnectionRefusedError, PermissionError):
            raise NotServing(not_serving(self._port, self._path)) from None
        except OSError as error:
            text = _("cannot open {path}: {reason}")
            raise NotServing(text.format(path=self._path, reason=error.strerror)) from None
        sock.settimeout(_ANSWER_WITHIN_S)
        self._sock, self._buffer = sock, LineBuffer(_MAX_LINE_BYTES)
        return sock


def _another_version() -> str:
    return _("the server has another version and cannot send its figures: restart it")


def not_serving(port: int, path: Path) -> str:
    """Return a text: this user has no server on the port; it may name another user."""
    owner = listener_of(port)
    if owner is not None and owner != os.geteuid():
        text = _(
            "the server on port {port} belongs to the user {user}: run this as that user, or as "
            "root with the XDG_STATE_HOME of that server (for the service: /var/lib)"
        )
        return text.format(port=port, user=_name_of(owner))
    if owner is not None:
        text = _(
            "a program of yours listens on port {port}, but it is not a server with a socket at "
            "{path}"
        )
        return text.format(port=port, path=path)
    text = _("no server runs on port {port}: start one with tertulia-server {port}")
    return text.format(port=port)


def listener_of(port: int) -> int | None:
    """Return the user who listens on a TCP port of this machine; None if nobody does."""
    for table in ("tcp", "tcp6"):
        with contextlib.suppress(OSError), open(f"/proc/net/{table}", encoding="utf-8") as rows:
            for row in itertools.islice(rows, 1, None):
                fields = row.split()
                if fields[3] == "0A" and int(fields[1].rpartition(":")[2], 16) == port:
                    return int(fields[7])
    return None


def _name_of(user: int) -> str:
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return str(user)
