"""What a worker reads: bytes from a connection, requests out of them, each to be carried out.

One for each worker, in whose thread it runs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tertulia.protocol.lines import MAX_LINE_BYTES, BadRequest, LineTooLong
from tertulia.protocol.messages import CloseReason
from tertulia.server import refusals
from tertulia.server.workers.connection import DRAINING, OPEN_STATES, Connection

if TYPE_CHECKING:
    from tertulia.server.config import Config
    from tertulia.server.workers.handler import RequestHandler
    from tertulia.server.workers.worker import Worker


class Input:
    """The input of a worker's connections."""

    def __init__(self, worker: Worker, handler: RequestHandler, config: Config) -> None:
        self._worker = worker
        self._handler = handler
        self._receive_bytes = config.receive_bytes
        self._backlog_bytes = min(config.stretch_bytes, config.private_bytes // 2)

    def receive(self, connection: Connection) -> None:
        """Take in what has come, and carry it out."""
        requests, size = connection.requests, self._receive_bytes
        if requests.by_line and connection.state in OPEN_STATES:
            size = min(size, requests.room)
        try:
            data = connection.recv(size)
        except BlockingIOError:
            return
        except OSError as error:
            self._worker.on_broken(connection, error)
            return
        if not data:
            self._on_eof(connection)
            return
        connection.last_byte_at = self._worker.now
        connection.pinged = False
        if connection.challengers:
            self._worker.answer_challengers(connection)
        if connection.state not in OPEN_STATES:
            return
        requests.feed(data)
        self.work(connection)

    def _on_eof(self, connection: Connection) -> None:
        connection.eof = True
        self._worker.watch(connection)
        if connection.state is DRAINING:
            self._worker.close(connection)
        elif connection.state in OPEN_STATES:
            self.work(connection)

    def work(self, connection: Connection) -> None:
        """Carry out the requests that have come, up to one that has to wait for something.

        For a connection that is open and not held.
        """
        requests, handle = connection.requests, self._handler.handle
        decoded = requests.decoded
        while decoded or requests.by_line or connection.eof:
            if len(connection.out) > self._backlog_bytes:
                connection.held = connection.backed_up = True  # until it takes its answers
                return
            if decoded:
                handle(connection, decoded.pop())
            elif not self._work_line(connection):
                return
            if connection.held or connection.state not in OPEN_STATES:
                return

    def _work_line(self, connection: Connection) -> bool:
        """Carry out one line, or end if no more will come; False if there is none yet."""
        try:
            request = connection.requests.next_request()
        except BadRequest as bad:
            self._handler.refuse_line(connection, bad)
            return True
        except LineTooLong:
            error = refusals.line_too_long(MAX_LINE_BYTES)
            self._worker.finish(connection, CloseReason.PROTOCOL, error)
            return True
        if request is not None:
            self._handler.handle(connection, request)
        elif connection.eof:
            in_mid_line = connection.requests.in_mid_line
            self._worker.finish(connection, CloseReason.LOST if in_mid_line else CloseReason.QUIT)
        return request is not None
