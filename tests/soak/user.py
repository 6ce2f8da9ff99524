"""One user of the soak, in a process of its own so that it can be killed and stopped.

It behaves as a good client: it reconnects, gets missed messages from the history, repeats messages
without an answer with the same nonce, and confirms direct messages once they are in its journal.
The journal, a file, survives the process. SIGUSR1 resets the connection, SIGUSR2 lets another one
take the session over, SIGTERM stops new messages. The process ends when it has read `END`.
"""

import argparse
import itertools
import json
import random
import select
import signal
import socket
import struct
import time
import zlib
from collections import deque

from journal import Journal, Seen
from wire import Lines, WebSocket, Wire

END = "this is the end of the soak"
WINDOW = 8  # messages without an answer
RETRY_S = 0.1
ANSWER_S = 10.0
SMALL = 4096  # bytes of the receive buffer of a slow user
SLOW_S = 0.02  # between two reads of a slow user
EVENTS = ("message", "joined", "left", "presence")


def text_of(nonce: str) -> str:
    """Return a text that depends only on the nonce."""
    return f"{nonce} " + "x" * (zlib.crc32(nonce.encode()) % 1_500)


class User:
    """A client that follows the chat and says `rate` messages a second."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.journal = Journal(options.journal)
        self.last = self.journal.last_seq
        self.unanswered = dict.fromkeys(self.journal.unanswered)  # nonce -> id once it is sent
        self.counter = itertools.count(len(self.journal.sent))
        self.ids = itertools.count(1)
        self.directs = dict.fromkeys(self.journal.unsettled, 0.0)  # nonce -> when it is sent next
        self.direct_ids: dict[int, str] = {}  # of the connection
        self.got = set(self.journal.got)
        self.direct_counter = itertools.count(len(self.journal.directs))
        self.direct_at = time.monotonic()
        self.is_quiet = self.was_quiet = False
        self.reset_asked = self.take_over_asked = False
        self.token: str | None = None
        self.say_at = time.monotonic()

        host = f"{options.host}:{options.port}"
        self.wire: Wire = WebSocket(host) if options.web else Lines()
        self.socket = socket.socket()
        self.live: deque[dict] = deque()  # waits while older messages are fetched
        self.fetching: tuple[int, int] | None = None  # (after, through]
        self.has_ended = False

    def run(self) -> None:
        """Follow the chat to its end, with as many connections as it takes."""
        while not self.has_ended:
            old = self.socket
            try:
                self.connect()
                old.close()
                self.converse()
            except OSError:  # refused, reset or silent
                time.sleep(RETRY_S)
            if not self.take_over_asked:
                self.socket.close()
        self.socket.close()

    # --- a connection --------------------------------------------------------------------------

    def connect(self) -> None:
        self.fetching = None
        self.reset_asked = self.take_over_asked = False
        self.live.clear()
        for nonce in self.unanswered:
            self.unanswered[nonce] = None  # must be said again
        self.directs = dict.fromkeys(self.directs, 0.0)
        self.direct_ids.clear()
        self.socket = socket.socket()
        if self.options.slow:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL)
        self.socket.settimeout(ANSWER_S)
        self.socket.bind((self.options.source, 0))
        self.socket.connect((self.options.host, self.options.port))
        self.wire.open(self.socket)
        token = {"token": self.token} if self.token else {}
        self.send(
            {"type": "register", "name": self.options.name, "id": 0, "receipts": True, **token}
        )
        while not self.live:
            self.receive()
        answer = self.live.popleft()
        if answer["type"] != "welcome":  # the server has not yet ended the old session
            raise ConnectionRefusedError(answer)
        self.token = answer["token"]
        self.journal.welcome(answer["epoch"], answer["seq"])
        if self.last is None:
            self.last = answer["seq"]
        self.fetch(self.last, answer["seq"])

    def converse(self) -> None:
        while not self.has_ended:
            if self.reset_asked:
                linger = struct.pack("ii", 1, 0)
                self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                return
            if self.take_over_asked:
                return
            self.talk()
            self.write()
            readable, _, _ = select.select([self.socket], [], [], 0.02)
            if readable:
                self.receive()
                if self.options.slow:
                    time.sleep(SLOW_S)
            while self.live and self.fetching is None:
                self.on_live(self.live.popleft())
            self.journal.flush()

    def send(self, request: dict) -> None:
        self.socket.sendall(self.wire.write(json.dumps(request).encode()))

    def receive(self) -> None:
        data = self.socket.recv(SMALL if self.options.slow else 262_144)
        if not data:
            raise ConnectionResetError
        for line in self.wire.feed(data):
            message = json.loads(line)
            if message["type"] in (*EVENTS, "gap", "welcome") or message.get("id") == 0:
                self.live.append(message)
            else:
                self.on_answer(message)

    # --- talking -------------------------------------------------------------------------------

    def talk(self) -> None:
        for nonce, request_id in self.unanswered.items():
            if request_id is None:
                self.say(nonce)
        now = time.monotonic()
        while (
            not self.is_quiet
            and self.options.rate
            and len(self.unanswered) < WINDOW
            and self.say_at <= now
        ):
            nonce = f"{self.options.name}-{next(self.counter)}"
            self.journal.say(nonce)
            self.say(nonce)
            self.say_at = max(self.say_at, now - 1.0) + 1.0 / self.options.rate
        if self.is_quiet and not (self.was_quiet or self.unanswered or self.directs):
            self.was_quiet = True
            print("quiet", flush=True)
            if self.options.slow:  # reading the backlog slowly would take minutes
                self.options.slow, self.reset_asked = False, True

    def say(self, nonce: str) -> None:
        request_id = self.unanswered[nonce] = next(self.ids)
        self.send({"type": "say", "text": text_of(nonce), "nonce": nonce, "id": request_id})

    def write(self) -> None:
        """Send direct messages, new ones and those that have to be sent again."""
        now = time.monotonic()
        while (
            not self.is_quiet
            and self.options.directs
            and len(self.directs) < WINDOW
            and self.direct_at <= now
        ):
            nonce = f"{self.options.name}-direct-{next(self.direct_counter)}"
            self.journal.send_direct(nonce, random.choice(self.options.to))
            self.directs[nonce] = 0.0
            self.direct_at = max(self.direct_at, now - 1.0) + 1.0 / self.options.directs
        for nonce, send_at in self.directs.items():
            if send_at <= now:
                self.directs[nonce] = float("inf")
                request_id = next(self.ids)
                self.direct_ids[request_id] = nonce
                to = self.journal.directs[nonce]
                text = {"to": to, "text": text_of(nonce), "nonce": nonce}
                self.send({"type": "direct", "id": request_id, **text})

    def on_direct_answer(self, answer: dict) -> None:
        nonce = self.direct_ids.pop(answer["id"])
        match answer.get("code"):
            case None:
                self.journal.direct_confirmed(nonce)
                del self.directs[nonce]
            case "undelivered":
                self.journal.direct_undelivered(nonce)
                del self.directs[nonce]
            case "busy" | "rate_limited" | "user_not_connected":  # an earlier try may have arrived
                self.directs[nonce] = time.monotonic() + answer.get("retry_after", RETRY_S)
            case code:
                raise AssertionError(code)

    def on_direct(self, message: dict) -> None:
        """Record a direct message that did not come before, and confirm it."""
        if message["nonce"] not in self.got:
            self.got.add(message["nonce"])
            self.journal.get_direct(message["nonce"])
        self.send({"type": "received", "receipt": message["receipt"]})

    # --- listening -----------------------------------------------------------------------------

    def on_answer(self, message: dict) -> None:
        match message["type"]:
            case "direct":
                self.on_direct(message)
            case "ok" | "error" if message.get("id") in self.direct_ids:
                self.on_direct_answer(message)
            case "error" if message["code"] == "undelivered":
                pass  # of an earlier session: this one has sent the message again
            case "ping":
                self.send({"type": "pong"})
            case "history":
                self.on_page(message)
            case "ok":
                self.journal.acknowledged(self.nonce_of(message["id"]), message["seq"])
            case "error" if "seq" in message:
                self.journal.not_stored(self.nonce_of(message["id"]), message["seq"])
            case "error" if self.fetching is not None:
                self.fetch(*self.fetching)  # for example `unavailable`
            case "closing":
                raise ConnectionResetError

    def nonce_of(self, request_id: int) -> str:
        [nonce] = [nonce for nonce, known in self.unanswered.items() if known == request_id]
        del self.unanswered[nonce]
        return nonce

    def fetch(self, after: int, through: int) -> None:
        """Ask for missed messages; live events wait until they have come."""
        self.fetching = (after, through) if after < through else None
        if self.fetching is not None:
            bounds = {"after": after, "before": through + 1}
            self.send({"type": "history", "limit": 200, "id": next(self.ids), **bounds})

    def on_page(self, page: dict) -> None:
        assert self.fetching is not None
        after, through = self.fetching
        for message in page["messages"]:
            self.see(message)
            after = message["seq"]
        self.fetch(after if page["more"] else through, through)
        if self.fetching is None:
            self.last = through

    def on_live(self, event: dict) -> None:
        if event["type"] == "gap":
            self.journal.gap(event["after"], event["through"])
            self.fetch(event["after"], event["through"])
        elif event["type"] == "message":
            self.see(event)
        else:
            self.journal.event(event["seq"], f"{event['type']} {event['name']} {event['time']}")
            self.last = event["seq"]

    def see(self, message: dict) -> None:
        self.journal.see(Seen.of(message))
        self.last = message["seq"]
        self.has_ended = message["text"] == END


def main() -> None:
    """Run one user."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("host")
    parser.add_argument("port", type=int)
    parser.add_argument("name")
    parser.add_argument("source", help="the address to connect from")
    parser.add_argument("journal", help="the file of this user's journal")
    parser.add_argument("--rate", type=float, default=0.0, help="messages to say a second")
    parser.add_argument("--directs", type=float, default=0.0, help="to send a second")
    parser.add_argument("--to", nargs="*", help="the users who get them")
    parser.add_argument("--web", action="store_true", help="come by WebSocket, as a browser does")
    parser.add_argument("--slow", action="store_true", help="read slowly")
    user = User(parser.parse_args())

    def be_quiet(*_: object) -> None:
        user.is_quiet = True

    def reset(*_: object) -> None:
        user.reset_asked = True

    def take_over(*_: object) -> None:
        user.take_over_asked = True

    signal.signal(signal.SIGTERM, be_quiet)
    signal.signal(signal.SIGUSR2, take_over)
    signal.signal(signal.SIGUSR1, reset)
    print("ready", flush=True)
    user.run()
    user.journal.flush()


if __name__ == "__main__":
    main()
