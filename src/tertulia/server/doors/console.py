"""The door of the console's socket: requests of operators, and live views' requests for figures."""

import msgspec

from tertulia.protocol.lines import decode_request
from tertulia.protocol.messages import Request
from tertulia.protocol.watching import TakeMeasures
from tertulia.server.doors.native import NativeDoor

_look_decoder = msgspec.json.Decoder(TakeMeasures)


class ConsoleDoor(NativeDoor):
    """One connection's lines. See `workers.door.Door`."""

    def next_request(self) -> Request | TakeMeasures | None:  # type: ignore[override]  # one more
        """Return the next request, or None if there is none yet. Raises BadRequest, LineTooLong."""
        if self.decoded:
            return self.decoded.pop()
        line = self.next_line()
        if line is None:
            self.has_more = self.in_mid_line
            return None
        try:
            return _look_decoder.decode(line)
        # another request, or an invalid one: `decode_request` finds out
        except msgspec.DecodeError:
            return decode_request(line)
