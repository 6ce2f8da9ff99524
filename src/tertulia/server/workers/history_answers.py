"""Answers with what the history sends to a worker: acknowledgements, pages, and space in its queue.

Only the worker's thread runs this; it never waits.
"""

from msgspec import UNSET

from tertulia.protocol.attendance import AskSeenBy
from tertulia.protocol.messages import Answer, Error, ErrorCode, HistoryPage, Ok
from tertulia.protocol.moderation import PinMessage
from tertulia.server import refusals
from tertulia.server.history.mail import Page, PageReady
from tertulia.server.hub.session import Receipt
from tertulia.server.observer import Observer
from tertulia.server.workers.connection import REGISTERED, Connection
from tertulia.server.workers.connections import Connections
from tertulia.server.workers.handler import Outcome, RequestHandler
from tertulia.server.workers.input import Input
from tertulia.server.workers.output import Output


class HistoryAnswers:
    """Handles the history's mail for one worker."""

    def __init__(
        self,
        connections: Connections,
        handler: RequestHandler,
        input_: Input,
        output: Output,
        observer: Observer,
    ) -> None:
        self._connections = connections
        self._guarded = connections.guarded
        self._handler = handler
        self._input = input_
        self._output = output
        self._observer = observer

    def on_stored(self, rows: list[tuple[Receipt, bool]]) -> None:
        """Send the answers to requests whose effect is on the disk, or was not written."""
        answers: dict[Connection, list[Answer]] = {}
        for receipt, is_stored in rows:
            connection = self._connections.of_session(receipt.session_number)
            if connection is None:
                continue
            connection.answers_due -= 1
            told = answers.setdefault(connection, [])
            if not is_stored:
                self._observer.on_refused_request(ErrorCode.UNAVAILABLE)
                told.append(refusals.not_stored(receipt.request_id, receipt.seq))
            elif receipt.answer is not None:
                told.append(receipt.answer)
            elif receipt.request_id is not UNSET:
                told.append(Ok(id=receipt.request_id, seq=receipt.seq))
        for connection, told in answers.items():
            self._guarded(connection, self._send_answers, told)

    def _send_answers(self, connection: Connection, told: list[Answer]) -> None:
        """Send the answers that waited for the disk; finish if nothing else is due."""
        if told:
            self._output.send_all(connection, told)
        else:
            # Nothing to send, but a connection that is finishing has waited for that.
            self._output.send_bytes(connection, b"")

    def on_page(self, connection: Connection, mail: PageReady) -> None:
        """Send a page, or go on with the request for which its message was looked for."""
        if mail.is_for_held:
            self._on_message_found(connection, mail.page)
            return
        connection.ticket = None
        connection.answers_due -= 1
        if isinstance(mail.page, Error):
            self._observer.on_refused_request(mail.page.code)
        self._output.send(connection, mail.page)

    def _on_message_found(self, connection: Connection, page: Page | Error) -> None:
        request, session = connection.release_hold(), connection.session
        if (
            connection.state is REGISTERED
            and session
            and isinstance(request, PinMessage | AskSeenBy)
        ):
            outcome: Outcome = page if isinstance(page, Error) else None
            if isinstance(page, HistoryPage):
                now = self._input.now
                outcome = self._handler.message_found(connection, session, request, page, now)
            self._input.act_and_resume(connection, session, request, outcome)

    def try_again(self, connection: Connection) -> None:
        """Carry out the request that has waited for space in the history's queue."""
        request, session = connection.release_hold(), connection.session
        if connection.state is REGISTERED and session and request is not None:
            outcome = self._handler.try_again(connection, session, request)
            self._input.act_and_resume(connection, session, request, outcome)
