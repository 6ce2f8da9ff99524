"""One socket to a server, and the only thread that uses it.

The thread splits the received bytes into messages, answers `ping`, notices when the server no
longer responds, and sends the bytes that other threads hand over. It waits only in a `Waiter`, so
the callbacks must not wait.
"""

import contextlib
import errno
import socket
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from tertulia.client.errors import ConnectFailure, End, EndReason, NoConnection
from tertulia.client.waiter import Waiter
from tertulia.protocol.lines import LineBuffer, LineTooLong, decode_server_message, encode
from tertulia.protocol.messages import Ping, Pong, Quit, ServerMessage

if TYPE_CHECKING:
    from tertulia.client.handshake import Secured

MAX_SERVER_LINE_BYTES = 16 * 1024 * 1024  # far longer than any user list or page
MAX_OUTBOX_BYTES = 4 * 1024 * 1024  # with more unsent bytes than this the connection is closed
RECEIVE_BYTES = 64 * 1024
PING_AFTER_S = 30.0  # without a byte from the server for so long, a ping is sent
PONG_WITHIN_S = 15.0  # without a pong for so long, the server counts as dead
LINGER_S = 2.0  # after `quit`, the time for the server to answer earlier requests

# Not every system has these.
_NO_SUCH_FAMILY = {getattr(socket, name, None) for name in ("EAI_ADDRFAMILY", "EAI_NODATA")}
_UNREACHABLE = {errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EHOSTDOWN}


def open_socket(host: str, port: int, source: str | None, timeout: float) -> socket.socket:
    """Connect to the first address of `host` that accepts; `timeout` seconds for each of them.

    Raises NoConnection.
    """
    family = socket.AF_UNSPEC
    local: tuple[object, ...] | None = None
    if source is not None:
        try:
            [(family, _, _, _, local), *_] = socket.getaddrinfo(
                source, 0, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST
            )
        except (socket.gaierror, UnicodeError) as error:
            raise NoConnection(ConnectFailure.SOURCE, str(error)) from error
    try:
        addresses = socket.getaddrinfo(host, port, family, socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError) as error:
        # The host may have only IPv6 addresses and the source an IPv4 one, or the reverse.
        if local is not None and error.args[0] in _NO_SUCH_FAMILY:
            raise NoConnection(ConnectFailure.UNREACHABLE, str(error)) from error
        raise NoConnection(ConnectFailure.UNKNOWN_HOST, str(error)) from error
    failure = NoConnection(ConnectFailure.UNKNOWN_HOST)
    for address_family, kind, protocol, _, address in addresses:
        try:
            sock = socket.socket(address_family, kind, protocol)
        except OSError as error:  # a kernel without IPv6, for example
            failure = NoConnection(ConnectFailure.UNREACHABLE, str(error))
            continue
        try:
            _connect(sock, address, local, timeout)
        except NoConnection as error:
            sock.close()
            failure = error
        except BaseException:
            sock.close()
            raise
        else:
            return sock
    raise failure


def _connect(
    sock: socket.socket,
    address: tuple[object, ...],
    local: tuple[object, ...] | None,
    timeout: float,
) -> None:
    if local is not None:
        try:
            sock.bind(local)
        except OSError as error:
            raise NoConnection(ConnectFailure.SOURCE, str(error)) from error
    sock.settimeout(timeout)
    try:
        sock.connect(address)
    except TimeoutError as error:
        raise NoConnection(ConnectFailure.TIMED_OUT, str(error)) from error
    except OSError as error:
        # EINVAL: a loopback address as source cannot reach another machine.
        if error.errno in _UNREACHABLE or (local is not None and error.errno == errno.EINVAL):
            raise NoConnection(ConnectFailure.UNREACHABLE, str(error)) from error
        if error.errno == errno.ECONNREFUSED:
            raise NoConnection(ConnectFailure.REFUSED, str(error)) from error
        raise NoConnection(ConnectFailure.OTHER, error.strerror or str(error)) from error


class Connection:
    """A connection in use. Any thread may send and close; the callbacks run in its own thread.

    `on_pause` is called after each group of messages that arrived together. `on_end` is called
    once, and is the last callback.
    """

    def __init__(
        self,
        sock: socket.socket,
        secured: "Secured | None" = None,
        *,
        on_message: Callable[[ServerMessage | None, bytes], None],
        on_pause: Callable[[], None],
        on_end: Callable[[End], None],
    ) -> None:
        self._sock = sock
        self._tls = None if secured is None else secured.channel
        self._early = b"" if secured is None else secured.early
        self._recv: Callable[[int], bytes] = (self._tls or sock).recv
        self._send: Callable[[bytearray], int] = (self._tls or sock).send
        self._sock.setblocking(False)
        self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._on_message = on_message
        self._on_pause = on_pause
        self._on_end = on_end
        self._lines = LineBuffer(MAX_SERVER_LINE_BYTES)
        self._wake_receiver, self._wake_sender = socket.socketpair()
        self._wake_receiver.setblocking(False)
        self._wake_sender.setblocking(False)
        self._heard_at = time.monotonic()
        self._pinged_at: float | None = None
        self._lock = threading.Lock()  # protects the fields below; never held while waiting
        self._outbox = bytearray()
        self._overflown = False
        self._close_by: float | None = None
        self._finished = False
        self._thread = threading.Thread(target=self._run, name="tertulia-connection", daemon=True)

    def start(self) -> None:
        """Start the thread; from now on the callbacks may be called."""
        self._thread.start()

    def send(self, data: bytes) -> None:
        """Hand over whole lines to the connection's thread, which sends them; never wait.

        After the end they are discarded.
        """
        with self._lock:
            if self._finished or self._close_by is not None:
                return
            self._append(data)

    def close(self, linger_s: float = LINGER_S) -> None:
        """Send `quit`, wait up to `linger_s` for the server to answer all requests, and end.

        Returns when the connection's thread has ended, or after 5 s.
        """
        with self._lock:
            if self._close_by is None and not self._finished:
                self._append(encode(Quit()))
                self._close_by = time.monotonic() + linger_s
                self._wake()
        if self._thread.ident is not None and threading.current_thread() is not self._thread:
            self._thread.join(LINGER_S + 3.0)

    def _append(self, data: bytes) -> None:
        if len(self._outbox) + len(data) > MAX_OUTBOX_BYTES:
            self._overflown = True
            self._wake()
            return
        if not self._outbox:  # otherwise the thread is already waiting until it can send
            self._wake()
        self._outbox += data

    def _wake(self) -> None:
        # Its buffer is full, so the thread will wake up anyway.
        with contextlib.suppress(BlockingIOError):
            self._wake_sender.send(b"\0")

    def _run(self) -> None:
        end = End(EndReason.LOST, "the thread of the connection failed")
        try:
            end = self._serve()
        finally:
            with self._lock:
                self._finished = True
                if self._tls is not None:
                    # The socket is broken and will be closed in any case.
                    with contextlib.suppress(OSError):
                        self._tls.say_end()
                self._sock.close()
                self._wake_sender.close()
                self._wake_receiver.close()
            self._on_end(end)

    def _serve(self) -> End:
        """Receive and send until the connection ends; return how it ended."""
        waiter = Waiter(self._wake_receiver, self._sock)
        end = self._read(self._early) if self._early else None
        unsent = False
        while end is None:
            is_woken, is_readable = waiter.wait(
                max(0.0, self._deadline() - time.monotonic()), sends=unsent
            )
            if is_woken:
                self._wake_receiver.recv(4096)
            try:
                if is_readable:
                    end = self._receive()
                unsent = self._flush()
            except OSError as error:
                return self._ended(EndReason.LOST, str(error))
            end = end or self._check_life()
        return end

    def _receive(self) -> End | None:
        try:
            data = self._recv(min(RECEIVE_BYTES, self._lines.free_bytes))
        except BlockingIOError:
            return None
        if not data:
            detail = "in the middle of a line" if self._lines.in_mid_line else "by the server"
            return self._ended(EndReason.LOST, detail)
        return self._read(data)

    def _read(self, data: bytes) -> End | None:
        """Process bytes of the server; return the end if they are not valid messages."""
        self._heard_at = time.monotonic()
        self._pinged_at = None
        self._lines.feed(data)
        while True:
            try:
                line = self._lines.next_line()
                if line is None:
                    self._on_pause()
                    return None
                message = decode_server_message(line)
            except LineTooLong:
                return End(EndReason.GARBLED, "a line without end")
            except ValueError as error:
                return End(EndReason.GARBLED, str(error))
            if isinstance(message, Ping):
                self.send(encode(Pong(id=message.id)))
            self._on_message(message, line)

    def _flush(self) -> bool:
        """Send as much as the socket accepts; return whether something is left."""
        with self._lock:
            while self._outbox:
                try:
                    sent = self._send(self._outbox)
                except BlockingIOError:
                    return True
                del self._outbox[:sent]
        return False

    def _check_life(self) -> End | None:
        now = time.monotonic()
        with self._lock:
            if self._overflown:
                return End(EndReason.LOST, "the server has stopped reading")
            if self._close_by is not None and now >= self._close_by:
                return End(EndReason.CLOSED)
        if self._pinged_at is not None:
            if now >= self._pinged_at + PONG_WITHIN_S:
                return self._ended(EndReason.SILENT, "the server does not answer")
        elif now >= self._heard_at + PING_AFTER_S:
            self._pinged_at = now
            self.send(encode(Ping()))
        return None

    def _deadline(self) -> float:
        if self._pinged_at is None:
            deadline = self._heard_at + PING_AFTER_S
        else:
            deadline = self._pinged_at + PONG_WITHIN_S
        with self._lock:
            return deadline if self._close_by is None else min(deadline, self._close_by)

    def _ended(self, reason: EndReason, detail: str) -> End:
        with self._lock:
            # After `quit`, every kind of end counts as the requested one.
            return End(reason, detail) if self._close_by is None else End(EndReason.CLOSED)
