"""The work that waits for the history's writer, besides the questions for the reader in mail.py."""

from collections.abc import Sequence

from msgspec import Struct

from tertulia.protocol.messages import ChatMessage
from tertulia.server.history.mail import KeptTicket, Rows, RowsTicket
from tertulia.server.hub.records import Change
from tertulia.server.hub.session import Receipt


class Write(Struct):
    """Store a message."""

    message: ChatMessage
    receipt: Receipt | None


class Keep(Struct):
    """Store changes of records."""

    changes: Sequence[Change]
    receipt: Receipt | None


class Confirm(Struct):
    """Acknowledge a message that was written earlier."""

    receipt: Receipt


class NodeWork(Keep):
    """Work that only a cluster's node has: store rows of another node, or answer one."""

    what: Rows | RowsTicket | KeptTicket
