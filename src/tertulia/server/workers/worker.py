"""A worker: a thread with one epoll, the connections it owns, and all their input and output.

Each round it reads what has come, has the requests carried out, and at the end sends each of its
connections what there is for it. It never waits but in epoll.
"""

import errno
import functools
import logging
import random
import select
import socket
import threading
import time
from collections.abc import Callable

from msgspec import UNSET

from tertulia.protocol.lines import encode_lines
from tertulia.protocol.messages import Answer, CloseReason, Closing, Ok, ServerMessage
from tertulia.server import refusals
from tertulia.server.config import Config
from tertulia.server.hub.hub import Hub
from tertulia.server.hub.session import Receipt, Session
from tertulia.server.workers.connection import CLOSED, OPEN_STATES, REGISTERED, Connection, State
from tertulia.server.workers.handler import RequestHandler
from tertulia.server.workers.input import Input
from tertulia.server.workers.limits import Admission
from tertulia.server.workers.mailbox import Mailbox
from tertulia.server.workers.output import Output
from tertulia.server.workers.watchdog import Watchdog

log = logging.getLogger("tertulia.server")

Arrival = tuple[socket.socket, str]  # and the address that it comes from

_MAX_WAIT_S = 3_600.0  # epoll takes no more than some weeks
_READABLE = select.EPOLLIN
_FAULT = "fault connection=%r"
_GATHER_S = 0.001  # for more that is said, before what was said goes to everyone
_RETRY_AFTER_S = (0.5, 5.0)  # after a shutdown, so that not all come back at one instant


class Worker:
    """One worker thread; as `Home` the owner of its connections' sessions.

    Other threads use `start`, `join`, `adopt`, `drain`, `mailbox` and what `Home` has.
    """

    def __init__(
        self,
        name: str,
        config: Config,
        hub: Hub,
        admission: Admission,
        announce: Callable[[Mailbox], None],
        on_end: Callable[["Worker"], None],
        *,
        ends_when_idle: bool,
    ) -> None:
        self._epoll = select.epoll()
        self.mailbox = Mailbox()
        self.now = time.monotonic()
        self._config = config
        self._hub = hub
        self._admission = admission
        self._announce = announce
        self._announced_seq = 0
        self._ends_when_idle = ends_when_idle
        self._on_end = on_end
        self._draining = False
        self.output = Output(self, hub, config)
        self._handler = RequestHandler(self, hub, config)
        self._input = Input(self, self._handler, config)
        self._watchdog = Watchdog(self, hub, config)
        self._epoll.register(self.mailbox.fileno(), select.EPOLLIN)
        self._connections: dict[int, Connection] = {}
        self._by_session: dict[Session, Connection] = {}
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def __repr__(self) -> str:
        return f"<Worker {self._thread.name} connections={len(self._connections)}>"

    # --- from other threads --------------------------------------------------------------------

    def start(self) -> None:
        """Start the thread; frees what it would have had if it cannot be (RuntimeError)."""
        try:
            self._thread.start()
        except RuntimeError:
            self.mailbox.close()
            self._epoll.close()
            raise

    def join(self, timeout_s: float) -> bool:
        """Wait for the thread's end; tell whether it came."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def adopt(self, arrivals: list[Arrival]) -> None:
        """Take over accepted, non-blocking sockets."""
        self.mailbox.post(functools.partial(self._on_adopt, arrivals))

    def drain(self) -> None:
        """Say goodbye to everyone, send what is to be sent, close, and end."""
        self.mailbox.post(self._on_drain)

    def hand_over(self, session: Session, line: bytes, reply: Callable[[bool], object]) -> None:
        """Put a line into a session's output (see Home)."""
        if not self.mailbox.post(lambda: reply(session.is_here and self.put(session, line))):
            reply(False)

    def challenge(self, session: Session, reply: Callable[[], object]) -> None:
        """Have a session show that it lives (see Home)."""
        if not self.mailbox.post(functools.partial(self._on_challenge, session, reply)):
            reply()

    def evict(self, session: Session) -> None:
        """Close a session that has been replaced (see Home)."""
        self.mailbox.post(functools.partial(self._on_evict, session))

    def acknowledge(self, receipts: list[tuple[Receipt, bool]]) -> None:
        """Tell speakers that what they said is stored, or not (see Home)."""
        self.mailbox.post(functools.partial(self._on_stored, receipts))

    # --- the loop ------------------------------------------------------------------------------

    def _run(self) -> None:
        while True:
            ready = self._epoll.poll(self._time_to_wait())
            self.now = time.monotonic()
            # What others have published up to here they announce themselves.
            self._announced_seq = self._hub.events.last_seq
            self._work_off(ready)
            self._gather()
            # Only after the events: until here no new connection can have got the descriptor of
            # one that was closed among them.
            for call in self.mailbox.take():
                call()
            if self.now >= self._watchdog.next_check:
                self._watchdog.check(self._connections.values())
            self._announce_news()
            self.output.flush()
            self._announce_news()  # of those whose connection turned out to be broken
            if not self._connections and (self._draining or self._ends_when_idle):
                break
        self._on_end(self)
        for call in self.mailbox.close():
            call()
        self._epoll.close()

    def _work_off(self, ready: list[tuple[int, int]]) -> None:
        connections, receive = self._connections, self._input.receive
        for fd, mask in ready:
            connection = connections.get(fd)
            if connection is None:
                if fd == self.mailbox.fileno():
                    self.mailbox.clear_wake_up()
                continue
            try:
                if mask == _READABLE and not connection.held:
                    receive(connection)
                else:
                    self._on_ready(connection, mask)
            except Exception:
                log.exception(_FAULT, connection)
                self.close(connection, CloseReason.LOST)

    def _gather(self) -> None:
        """Take in what has come meanwhile, if there is something to be sent to everyone.

        What is said by several at about the same time then goes out in one `send` to each instead
        of one for each of them, and a look costs less than a single `send`.
        """
        give_up_at = self.now + _GATHER_S
        while self._hub.events.last_seq != self._announced_seq and time.monotonic() < give_up_at:
            ready = self._epoll.poll(0)
            if not ready:
                break
            self._work_off(ready)

    def _time_to_wait(self) -> float:
        if not self.mailbox.fall_asleep() or self.output.has_work:
            return 0.0
        wait_s = self._watchdog.next_check - time.monotonic()
        return min(max(0.0, wait_s), _MAX_WAIT_S)

    def _announce_news(self) -> None:
        if self._hub.events.last_seq != self._announced_seq:
            self._announced_seq = self._hub.events.last_seq
            self._announce(self.mailbox)

    # --- input ---------------------------------------------------------------------------------

    def guarded(self, step: Callable[[Connection], None], connection: Connection) -> None:
        """Take a step with a connection, which a fault of ours costs, but not the others."""
        try:
            step(connection)
        except Exception:
            log.exception(_FAULT, connection)
            self.close(connection, CloseReason.LOST)

    def _on_ready(self, connection: Connection, mask: int) -> None:
        if mask & ~select.EPOLLOUT and not connection.eof:
            if connection.held:
                self.watch(connection)  # no more, until it is resumed
            else:
                self._input.receive(connection)
        if mask & ~select.EPOLLIN and connection.blocked:
            self.output.unblock(connection)
            self.watch(connection)

    def resume(self, connection: Connection) -> None:
        """Go on with a connection that was held."""
        connection.held = connection.backed_up = False
        if connection.state is not CLOSED:
            self.watch(connection)
        if connection.state in OPEN_STATES:
            self.guarded(self._input.work, connection)

    def watch(self, connection: Connection) -> None:
        """Wait for what a connection has to wait for now, and for nothing else."""
        mask = select.EPOLLOUT if connection.blocked else 0
        if not connection.eof and not connection.held:
            mask |= select.EPOLLIN
        if mask == connection.watched:
            return
        if not connection.watched:
            self._epoll.register(connection.fd, mask)
        elif mask:
            self._epoll.modify(connection.fd, mask)
        else:  # a mask of 0 would still report every error, again and again
            self._epoll.unregister(connection.fd)
        connection.watched = mask

    # --- output, as it turns out ---------------------------------------------------------------

    def put(self, session: Session, line: bytes) -> bool:
        """Queue a line for a session of this worker; False if it is gone."""
        connection = self._by_session.get(session)
        if connection is None or connection.state is not REGISTERED:
            return False
        self.output.tell_line(connection, line)
        return True

    def _on_stored(self, receipts: list[tuple[Receipt, bool]]) -> None:
        answers: dict[Connection, list[Answer]] = {}
        for receipt, is_stored in receipts:
            connection = self._by_session.get(receipt.session)
            if connection is None:
                continue
            connection.pending -= 1
            told = answers.setdefault(connection, [])
            if not is_stored:
                told.append(refusals.not_stored(receipt.request_id, receipt.seq))
            elif receipt.request_id is not UNSET:
                told.append(Ok(id=receipt.request_id, seq=receipt.seq))
        for connection, told in answers.items():
            self.output.tell_line(connection, encode_lines(told))

    def on_blocked(self, connection: Connection) -> None:
        """Wait until a socket takes something again."""
        connection.blocked = True
        connection.progress_at = self.now  # or it would not have been tried
        self.watch(connection)
        self._watchdog.look_at(connection, self.now + self._config.write_timeout_s)

    def on_broken(self, connection: Connection, error: OSError) -> None:
        """Close a connection whose socket gave an error."""
        timed_out = error.errno == errno.ETIMEDOUT
        self.close(connection, CloseReason.TIMEOUT if timed_out else CloseReason.LOST)

    def on_sent(self, connection: Connection) -> None:
        """Go on with a connection that has taken all that was queued for it."""
        self._handler.ask_next_page(connection)
        if connection.state is State.FINISHING:
            self._on_all_said(connection)
        elif connection.backed_up:
            self.resume(connection)

    def _on_all_said(self, connection: Connection) -> None:
        """Let the client of a finished connection read the last, then close."""
        if connection.pending:  # the history is not done; `end_by` bounds the wait
            return
        if connection.eof:
            self.close(connection)
            return
        try:
            connection.sock.shutdown(socket.SHUT_WR)
        except OSError:  # reset meanwhile: there is nobody left to read
            self.close(connection)
            return
        connection.enter(State.DRAINING)
        self._watchdog.end_by(connection, self.now + self._config.drain_timeout_s)

    # --- beginnings and ends -------------------------------------------------------------------

    def _on_adopt(self, arrivals: list[Arrival]) -> None:
        for sock, address in arrivals:
            connection = Connection(sock, address, self.now)
            self._connections[connection.fd] = connection
            self._watchdog.look_at(connection, self.now + self._config.register_timeout_s)
            if self._draining:
                self._say_goodbye(connection)
            else:
                self.watch(connection)

    def welcome(self, connection: Connection, session: Session, seq: int) -> None:
        """Let a connection that has registered follow the chat from `seq` on."""
        connection.enter(REGISTERED)
        connection.session = session
        self._by_session[session] = connection
        self._admission.count_registered(connection.address)
        self.output.follow(connection, session, seq)
        self._watchdog.look_at(connection, self.now)

    def finish(
        self, connection: Connection, reason: CloseReason, last_word: ServerMessage | None = None
    ) -> None:
        """End a connection's session, if it has one, and close it once its output is out.

        What came before goes out first: the answers, and the events up to here.
        """
        if connection.state not in (State.UNREGISTERED, REGISTERED):
            return
        self.output.finish(connection, last_word)
        if connection.session is not None:
            self._release(connection, connection.session, reason)
            self._admission.count_released(connection.address)
        connection.enter(State.FINISHING)
        connection.held = False
        self.watch(connection)
        self._watchdog.end_by(connection, self.now + self._config.flush_timeout_s)

    def close(self, connection: Connection, reason: CloseReason = CloseReason.REFUSED) -> None:
        """Close a connection at once, and end its session if it still has one. Idempotent."""
        if connection.state is CLOSED:
            return
        session, is_registered = connection.session, connection.state is REGISTERED
        if session is not None:
            self._release(connection, session, reason)
        elif connection.state is State.UNREGISTERED and reason is not CloseReason.SHUTDOWN:
            log.info("closed address=%s reason=%s registered=no", connection.address, reason)
        connection.enter(CLOSED)
        connection.held = connection.eof = True
        connection.blocked = False
        self.watch(connection)
        del self._connections[connection.fd]
        if session is not None:
            del self._by_session[session]
        self.output.forget(connection)
        connection.sock.close()
        self._admission.count_closed(connection.address, is_registered=is_registered)

    def _release(self, connection: Connection, session: Session, reason: CloseReason) -> None:
        if self._hub.release(session, reason):
            log.info(
                "left name=%s address=%s reason=%s",
                session.name.shown,
                session.address,
                reason,
            )
        self.answer_challengers(connection)

    def _on_drain(self) -> None:
        self._draining = True
        for connection in list(self._connections.values()):
            self._say_goodbye(connection)

    def _say_goodbye(self, connection: Connection) -> None:
        retry_after = round(random.uniform(*_RETRY_AFTER_S), 3)
        goodbye = Closing(reason=CloseReason.SHUTDOWN, retry_after=retry_after)
        self.finish(connection, CloseReason.SHUTDOWN, goodbye)

    def _on_evict(self, session: Session) -> None:
        connection = self._by_session.get(session)
        if connection is not None:
            self.output.push_rest(connection)
            self.close(connection, CloseReason.REPLACED)

    def _on_challenge(self, session: Session, reply: Callable[[], object]) -> None:
        connection = self._by_session.get(session)
        if connection is None or connection.state is not REGISTERED:
            reply()
        else:
            self._watchdog.challenge(connection, reply)

    def answer_challengers(self, connection: Connection) -> None:
        """Tell whoever had a connection challenged that it lives, or has ended."""
        challengers, connection.challengers = connection.challengers, []
        for reply in challengers:
            reply()
