"""The refusal of pages in a chat without a history."""

from msgspec import UNSET

from tertulia.protocol.attendance import ListAttendance
from tertulia.protocol.messages import MAX_INT, Error, GetHistory, Search
from tertulia.server import refusals
from tertulia.server.hub.eventlog import EventLog


def refuse_page(events: EventLog, request: GetHistory | Search | ListAttendance) -> Error:
    """Return the refusal, which says whether the page would have had messages. Any thread."""
    if not isinstance(request, GetHistory):
        return refusals.history_off(request)
    after = 0 if request.after is UNSET else request.after
    before = MAX_INT if request.before is UNSET else request.before
    return refusals.history_off(request, events.last_message_between(after, before))
