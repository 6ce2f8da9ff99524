"""The native door: lines of JSON over TCP."""

from tertulia.protocol import lines
from tertulia.protocol.messages import CloseReason
from tertulia.server.workers.door import Form


class NativeDoor(lines.RequestBuffer):
    """One connection's lines. See `workers.door.Door`."""

    is_at_eof: bool = False
    requests_tried: int = 0
    malformed_count: int = 0

    encode = staticmethod(lines.encode)
    encode_all = staticmethod(lines.encode_lines)
    kind = "native"
    form = Form(lines.encode)

    def feed_eof(self) -> None:
        """Note that the client sends no more."""
        self.is_at_eof = True
        self.has_more = True  # at least the end itself has to be reported

    def close(self) -> None:
        """Do nothing: there is nothing to free."""

    def goodbye(self, _reason: CloseReason) -> bytes:
        """Return nothing: the end of the stream is enough."""
        return b""
