"""TLS over a non-blocking socket, with the `recv` and `send` of a plain one.

It does not use `ssl.SSLSocket`, which after a refused `send` insists on getting the same bytes
again, and would lose some if others were sent first. One thread at a time may use a channel, but
for what `prepare_step` says; nothing here blocks.
"""

import contextlib
import socket
import ssl

HANDSHAKE_RECORD = 0x16  # the first byte of every connection that begins with TLS
NATIVE, HTTP = PROTOCOLS = ("tertulia", "http/1.1")  # by their names in ALPN

_CHUNK_BYTES = 16 * 1024  # of plain text that is encrypted at a time: one record
# Encrypted bytes that wait although nobody has called `send`: answers to what the peer's TLS asks.
_MAX_UNASKED_BYTES = 64 * 1024


class TlsChannel:
    """A socket's `recv`, `send` and `shutdown`, with TLS in between.

    `send` keeps the contract of a stream socket: it returns how much it has taken, and the next
    call goes on with the rest. When it has taken everything but the socket has not, it returns one
    byte less and skips that byte in the next call. So a caller that waits until the socket can take
    more also waits for these encrypted bytes.
    """

    __slots__ = (
        "_ahead",
        "_failure",
        "_incoming",
        "_outgoing",
        "_read",
        "_send",
        "_sock",
        "_tls",
        "_unsent",
        "_write",
        "is_busy",
        "is_open",
        "is_step_due",
    )

    def __init__(
        self,
        sock: socket.socket,
        context: ssl.SSLContext,
        *,
        server_side: bool,
        server_hostname: str | None = None,
        first: bytes = b"",
    ) -> None:
        """`first` are the bytes that were already read from the socket."""
        self._sock = sock
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(
            self._incoming, self._outgoing, server_side, server_hostname=server_hostname
        )
        self._write, self._read, self._send = self._tls.write, self._outgoing.read, sock.send
        self._incoming.write(first)
        self.is_open = False  # the handshake is over
        self.is_busy = False  # a step of the handshake was prepared and has not ended
        self.is_step_due = False  # `recv_for_step` has brought bytes for a step of the handshake
        self._failure: ssl.SSLError | None = None  # of the step that was taken last
        self._unsent = b""  # encrypted bytes that the socket has not taken yet
        self._ahead = 0  # bytes of the next data that are encrypted already: 0 or 1

    @property
    def has_unsent(self) -> bool:
        """Whether encrypted bytes wait for the socket to take more."""
        return bool(self._unsent)

    @property
    def alpn(self) -> str | None:
        """The protocol that client and server have agreed on, if the client has named any."""
        return self._tls.selected_alpn_protocol() if self.is_open else None

    @property
    def peer_certificate(self) -> bytes | None:
        """The certificate of the other side as DER; None if it has shown none."""
        return self._tls.getpeercert(binary_form=True)

    def recv(self, size: int) -> bytes:
        """Return all that one read of the socket has brought, which may be more than `size`.

        b"" is the end. Raises BlockingIOError if nothing whole has come, and OSError.
        """
        return self.decrypt() if self._take_in(size) else b""

    def recv_for_step(self, size: int) -> bytes:
        """Read what a step of the handshake needs, without computing it; return b"" at the end.

        Otherwise it raises BlockingIOError; then `is_step_due` says whether something has come.
        """
        if not self._take_in(size):
            return b""
        self.is_step_due = True
        raise BlockingIOError

    def _take_in(self, size: int) -> bool:
        """Read the socket once; return whether something has come, and False at the end."""
        if self.is_busy:
            raise BlockingIOError
        data = self._sock.recv(size)
        self._incoming.write(data)
        return bool(data)

    def prepare_step(self) -> None:
        """Let another thread take the next step of the handshake.

        Until `compute_step` has ended the others may go on using the channel: it takes and brings
        nothing, and closing its socket does no harm.
        """
        self.is_busy, self.is_step_due = True, False

    def compute_step(self) -> None:
        """Compute the next step of the handshake, which `decrypt` then goes on from.

        It takes half a millisecond, in which other threads run. Any one thread may call it.
        """
        try:
            self._tls.do_handshake()
            self.is_open = True
        except ssl.SSLWantReadError:
            pass  # the other side has to say more
        except ssl.SSLError as error:
            self._failure = error
        finally:
            self.is_busy = False

    def decrypt(self) -> bytes:
        """Go on with the handshake, and decrypt what has come. Returns and raises as `recv`."""
        parts: list[bytes] = []
        try:
            if self._failure is not None:
                raise self._failure
            if not self.is_open:
                self._tls.do_handshake()
                self.is_open = True
            while part := self._tls.read(_CHUNK_BYTES):
                parts.append(part)
                if not self._incoming.pending and not self._tls.pending():
                    break  # reading once more would cost an exception
            else:
                self._end_input()
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLZeroReturnError:  # close_notify, in answer to ours
            self._end_input()
        finally:
            self._send_unasked()
        if not parts:
            raise BlockingIOError
        return b"".join(parts)

    def send(self, data: bytes | bytearray) -> int:
        """Encrypt and send; return how much was taken, as above. Raises OSError."""
        if self.is_busy or (self._unsent and not self.flush()):
            raise BlockingIOError
        size = len(data)
        if not self._ahead and size <= _CHUNK_BYTES:  # nearly always
            self._encrypt(data)
            if self._send_record():
                return size
            self._ahead = 1
            return size - 1
        done = self._ahead
        with memoryview(data) as view:
            while done < size:
                end = min(done + _CHUNK_BYTES, size)
                self._encrypt(view[done:end])
                done = end
                if not self._send_record():
                    self._ahead = 1
                    return done - 1
        self._ahead = 0
        return size

    def flush(self) -> bool:
        """Send the encrypted bytes that wait; return whether all of them went out."""
        try:
            sent = self._sock.send(self._unsent)
        except BlockingIOError:
            return False
        self._unsent = self._unsent[sent:]
        return not self._unsent

    def shutdown(self) -> None:
        """End the sending direction of the connection. Raises OSError."""
        self.say_end()
        self._sock.shutdown(socket.SHUT_WR)

    def say_end(self) -> None:
        """Send close_notify, so that the other side knows that nothing was cut off."""
        if self.is_busy:
            return
        if self.is_open:
            with contextlib.suppress(ssl.SSLError):  # it has not come back, or there was a fault
                self._tls.unwrap()
        self._unsent += self._read()
        with contextlib.suppress(BlockingIOError):
            self.flush()

    def _end_input(self) -> None:
        """Let the poller report the end, which `recv` then returns."""
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_RD)

    def _encrypt(self, data: bytes | bytearray | memoryview) -> None:
        try:
            self._write(data)
        except ssl.SSLWantReadError:  # it counts as an OSError, for which a caller would wait
            raise ConnectionError("the TLS handshake is not over") from None

    def _send_record(self) -> bool:
        """Send the encrypted bytes; return whether the socket has taken all of them."""
        record = self._read()
        try:
            sent = self._send(record)
        except BlockingIOError:
            sent = 0
        if sent == len(record):
            return True
        self._unsent = record[sent:]
        return False

    def _send_unasked(self) -> None:
        """Send the messages of TLS itself: the handshake, an alert, the answer to a key update."""
        if self._outgoing.pending:
            self._unsent += self._read()
            with contextlib.suppress(OSError):  # the next `recv` or `send` finds out
                self.flush()
            if len(self._unsent) > _MAX_UNASKED_BYTES:
                raise ConnectionError("too many requests of TLS itself")
