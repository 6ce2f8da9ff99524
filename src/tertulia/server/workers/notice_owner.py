"""The owner for a connection that has posted to a hook and has no session."""

from tertulia.server.history.mail import Stored
from tertulia.server.workers.connection import Connection
from tertulia.server.workers.mail import NoticeStored
from tertulia.server.workers.mailbox import Mailbox


class NoticeOwner:
    """Gets the keeper's acknowledgement for one connection. Any thread may call."""

    def __init__(self, connection: Connection, mailbox: Mailbox) -> None:
        self._connection = connection
        self._mailbox = mailbox

    def post(self, mail: Stored) -> bool:
        """Tell the connection's worker whether the notice is stored."""
        ((receipt, is_stored),) = mail.rows
        return self._mailbox.post(NoticeStored(self._connection, receipt.seq, is_stored))
