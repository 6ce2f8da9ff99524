"""A crowd on this machine that talks and listens, to see a server at work (docs/threads.md).

    .venv/bin/python examples/crowd.py PORT USERS MESSAGES_PER_S [STOPPED [SECONDS]]

Each user has an address of its own in 127.1.0.0/16. Once a second the program prints how many
messages were sent and received, and the times within which half of them and 99 of 100 reached a
user. STOPPED more users join and then read nothing. One thread, one `select`, and lines of JSON.
"""

import json
import selectors
import socket
import sys
import time

HOST = "127.0.0.1"
PADDING = "x" * 60
WAIT_S = 20.0


class User:
    """One connection: what has come and was not yet read."""

    def __init__(self, number: int, port: int, *, stopped: bool = False) -> None:
        source = f"127.1.{number // 250}.{number % 250 + 1}"
        self.sock = socket.socket()
        if stopped:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        self.sock.settimeout(WAIT_S)
        self.sock.bind((source, 0))
        self.sock.connect((HOST, port))
        self.rest = b""
        name = f"{'stopped' if stopped else 'user'}{number}"
        self.send(type="register", name=name, events="messages")  # not who comes and goes
        while b"\n" not in self.rest:
            data = self.sock.recv(65_536)
            if not data:
                sys.exit("crowd.py: the server has closed the connection")
            self.rest += data
        answer, _, self.rest = self.rest.partition(b"\n")
        if b'"welcome"' not in answer:
            sys.exit(f"crowd.py: {answer.decode()}")

    def send(self, **request: object) -> None:
        """Send a request."""
        self.sock.sendall(json.dumps(request).encode() + b"\n")

    def receive(self) -> list[bytes]:
        """Return the complete lines that have come; ends the program if the server has ended."""
        data = self.sock.recv(262_144)
        if not data:
            sys.exit("crowd.py: the server has ended")
        *lines, self.rest = (self.rest + data).split(b"\n")
        return lines


class Crowd:
    """All users, and how long messages took in this second."""

    def __init__(self, port: int, count: int, stopped: int) -> None:
        self.users = [User(number, port) for number in range(count)]
        self.stopped = [User(count + number, port, stopped=True) for number in range(stopped)]
        self.ready = selectors.DefaultSelector()
        for user in self.users:
            self.ready.register(user.sock, selectors.EVENT_READ, user)
        self.said = 0
        self.took_s: list[float] = []

    def say(self) -> None:
        """Let the next user send a message."""
        user = self.users[self.said % len(self.users)]
        user.send(type="say", id=self.said, text=f"{PADDING} at={time.perf_counter()};")
        self.said += 1

    def listen(self, until: float) -> None:
        """Read what comes until a moment."""
        while (left_s := until - time.perf_counter()) > 0:
            for key, _mask in self.ready.select(left_s):
                for line in key.data.receive():
                    self.hear(key.data, line)

    def hear(self, user: User, line: bytes) -> None:
        """Note how old a message is; answer a ping."""
        _, found, rest = line.partition(b" at=")
        if found:
            self.took_s.append(time.perf_counter() - float(rest.partition(b";")[0]))
        elif line.startswith(b'{"type":"ping"'):
            user.send(type="pong")

    def report(self, said: int) -> None:
        """Print what happened in this second."""
        took = sorted(self.took_s) or [0.0]
        half, most = took[len(took) // 2], took[len(took) * 99 // 100]
        print(
            f"said {said}/s, heard {len(self.took_s)}/s, "
            f"half within {half * 1e3:.1f} ms, 99 % within {most * 1e3:.1f} ms",
            flush=True,
        )
        self.took_s.clear()


def main(port: int, users: int, rate: float, stopped: int, seconds: float) -> None:
    """Talk and listen until the time is over."""
    crowd = Crowd(port, users, stopped)
    began = now = time.perf_counter()
    next_say, next_report, said = began, began + 1.0, 0
    while now < began + seconds:
        if now >= next_say:
            crowd.say()
            next_say += 1.0 / rate
        if now >= next_report:
            crowd.report(crowd.said - said)
            said, next_report = crowd.said, next_report + 1.0
        crowd.listen(min(next_say, next_report))
        now = time.perf_counter()


if __name__ == "__main__":
    if not 4 <= len(sys.argv) <= 6:
        sys.exit("usage: crowd.py PORT USERS MESSAGES_PER_S [STOPPED [SECONDS]]")
    numbers = [float(word) for word in sys.argv[1:]] + [0.0, float("inf")][len(sys.argv) - 4 :]
    try:
        main(int(numbers[0]), int(numbers[1]), numbers[2], int(numbers[3]), numbers[4])
    except KeyboardInterrupt:
        pass
    except OSError as error:
        sys.exit(f"crowd.py: {error}")
