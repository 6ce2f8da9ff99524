"""What a live view asks of the server's local socket, and its answer.

Only connections over that socket have these messages; they are no part of docs/protocol.md.
"""

from tertulia.protocol.envelope import AnswerMessage, RequestMessage
from tertulia.protocol.measures import Measures


class TakeMeasures(RequestMessage, tag="take_measures", kw_only=True, frozen=True):
    """Asks for a picture of the running server as it is now."""


class MeasuresTaken(AnswerMessage, tag="measures", kw_only=True, frozen=True):
    """The picture; `model` is the value of `--threads`: a number, or `session`."""

    model: str
    measures: Measures
