"""Break things under load for a long time, and check that no message was lost or doubled.

The server is killed and started again many times. Users are killed, stopped and disconnected, and
some read slowly; half of them come by WebSocket. At the end, what each user received is compared
with the history and with the acknowledgements. Prints a summary; the exit status is 1 if a promise
was broken.

    python tests/soak/soak.py --seconds 300 --kills 20
"""

import argparse
import json
import random
import re
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from checker import violations
from journal import Journal, Seen
from user import END

HERE = Path(__file__).parent
PROGRAM = Path(sys.executable).with_name("tertulia-server")
OPTIONS = ("--rate-limit", "off", "--log-bytes", "131072", "--send-buffer-bytes", "8192")
START_S = STOP_S = 30.0
SETTLE_S = 120.0  # for the slowest user to catch up
MAX_SHOWN = 20


class ServerProcess:
    """A server that starts again after a kill, on the same port with the same history."""

    def __init__(self, directory: Path, threads: str) -> None:
        self.history = directory / "history.db"
        self.log_path = directory / "server.log"
        self.threads = threads
        self.port = 0
        self.downtimes_s: list[float] = []
        self.start()

    def start(self) -> None:
        command = [PROGRAM, str(self.port), "--host", "127.0.0.1", "--history", str(self.history)]
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen(
                [*command, "--threads", self.threads, *OPTIONS], stdout=subprocess.PIPE, stderr=log
            )
        self.port = int(read_line(self.process, START_S).split()[-1])

    def kill(self) -> None:
        killed_at = time.monotonic()
        self.process.kill()
        self.process.communicate()
        self.start()
        self.downtimes_s.append(time.monotonic() - killed_at)

    def stop(self) -> float:
        """Stop the server in order and return the seconds that it took."""
        asked_at = time.monotonic()
        self.process.terminate()
        self.process.communicate(timeout=STOP_S)
        if self.process.returncode != 0:
            raise RuntimeError(f"the server ended with {self.process.returncode}")
        return time.monotonic() - asked_at

    def exported(self) -> list[Seen]:
        command = [PROGRAM, "--history", str(self.history), "--export", "-"]
        lines = subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout.splitlines()
        return [Seen.of(json.loads(line)) for line in lines]


class UserProcess:
    """A user that starts again after a kill, with the same journal."""

    def __init__(self, directory: Path, number: int, port: int, *options: str) -> None:
        self.name = f"user{number}"
        self.journal_path = directory / f"{self.name}.journal"
        source = f"127.77.{number // 250}.{2 + number % 250}"
        self._command = [sys.executable, str(HERE / "user.py"), "127.0.0.1", str(port), self.name]
        self._command += [source, str(self.journal_path), *options]
        self.resume_at = 0.0  # 0 while it is not stopped
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(self._command, stdout=subprocess.PIPE)
        read_line(self.process, START_S)

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()
        self.start()

    def resume_if_due(self, now: float) -> None:
        if self.resume_at and self.resume_at <= now:
            self.resume_at = 0.0
            self.process.send_signal(signal.SIGCONT)


def read_line(process: subprocess.Popen[bytes], timeout_s: float) -> str:
    """Wait for the next line of a process that prints at most one line at a time."""
    assert process.stdout is not None
    readable, _, _ = select.select([process.stdout], [], [], timeout_s)
    line = process.stdout.readline().decode() if readable else ""
    if not line:
        raise RuntimeError(f"no line from {process.args}")
    return line.rstrip("\n")


def break_things(server: ServerProcess, users: list[UserProcess], options, dice) -> Counter[str]:
    """Break one thing after another until the time is over; return how often each was broken."""
    done: Counter[str] = Counter()
    start = time.monotonic()
    end = start + options.seconds
    kill_at = [start + options.seconds * (n + 0.5) / options.kills for n in range(options.kills)]
    while (now := time.monotonic()) < end:
        for user in users:
            user.resume_if_due(now)
        if kill_at and kill_at[0] <= now:
            kill_at.pop(0)
            server.kill()
            done["server killed"] += 1
            continue
        user = dice.choice(users)
        if user.resume_at:
            continue
        what = dice.choice(
            ["user killed", "user stopped", "user reset", "user took over", "nothing"]
        )
        match what:
            case "user killed":
                user.kill()
            case "user stopped":
                user.process.send_signal(signal.SIGSTOP)
                user.resume_at = now + dice.uniform(0.2, 3.0)
            case "user reset":
                user.process.send_signal(signal.SIGUSR1)
            case "user took over":
                user.process.send_signal(signal.SIGUSR2)
        done[what] += 1
        time.sleep(dice.uniform(0.05, 0.5))  # the pace of the faults
    for user in users:
        user.resume_if_due(float("inf"))
    return done


def settle(server: ServerProcess, users: list[UserProcess]) -> None:
    """Wait for all acknowledgements, say the last message, and wait until all have read it."""
    give_up_at = time.monotonic() + SETTLE_S
    for user in users:
        user.process.send_signal(signal.SIGTERM)
    for user in users:
        read_line(user.process, give_up_at - time.monotonic())
    with (
        socket.create_connection(("127.0.0.1", server.port), SETTLE_S) as last,
        last.makefile() as f,
    ):
        requests = [
            {"type": "register", "name": "last", "events": "messages"},
            {"type": "say", "text": END, "id": 1},
        ]
        last.sendall("".join(json.dumps(request) + "\n" for request in requests).encode())
        while '"ok"' not in f.readline():
            pass
    for user in users:
        user.process.communicate(timeout=max(1.0, give_up_at - time.monotonic()))


def main() -> int:
    """Run the soak; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seconds", type=float, default=300.0)
    parser.add_argument("--kills", type=int, default=20, help="of the server")
    parser.add_argument("--talkers", type=int, default=4)
    parser.add_argument("--listeners", type=int, default=4, help="half of them slow")
    parser.add_argument("--rate", type=float, default=80.0, help="messages a second and talker")
    parser.add_argument("--directs", type=float, default=20.0, help="a second and talker")
    parser.add_argument("--threads", default="2", help="of the server: N or session (2)")
    parser.add_argument("--seed", type=int, default=None, help="of the faults")
    options = parser.parse_args()
    seed = random.randrange(10**6) if options.seed is None else options.seed
    print(f"soak: {options.seconds:g} s, {options.kills} kills of the server, seed {seed}")
    with tempfile.TemporaryDirectory(prefix="soak-") as name:
        return run(Path(name), options, random.Random(seed))


def run(directory: Path, options: argparse.Namespace, dice: random.Random) -> int:
    """Run the soak in a directory; return the exit status."""
    server = ServerProcess(directory, options.threads)
    users: list[UserProcess] = []
    try:
        for number in range(options.talkers + options.listeners):
            talks = number < options.talkers
            kind = ("--slow",) * (number % 2)
            if talks:
                everyone = [f"user{n}" for n in range(options.talkers + options.listeners)]
                kind = ("--rate", str(options.rate), "--directs", str(options.directs))
                kind += ("--to", *everyone)
            kind += ("--web",) * (number // 2 % 2)
            users.append(UserProcess(directory, number, server.port, *kind))
        done = break_things(server, users, options, dice)
        settle(server, users)
        history = server.exported()
        stop_s = server.stop()
    finally:
        for process in [server.process, *(user.process for user in users)]:
            process.kill()
            process.communicate()
    journals = {user.name: Journal(str(user.journal_path)) for user in users}
    problems = list(violations(history, journals))
    faults = re.findall(r".*(?:Traceback|fault ).*", server.log_path.read_text())
    problems += [f"the server's log has: {line}" for line in faults]
    report(history, journals, done, server.downtimes_s, stop_s)
    for problem in problems[:MAX_SHOWN]:
        print("VIOLATION:", problem)
    print(f"{len(problems)} violations" if problems else "nothing lost, doubled or out of order")
    for journal in journals.values():
        journal.close()
    return 1 if problems else 0


def report(
    history: list[Seen],
    journals: dict[str, Journal],
    done: Counter[str],
    downtimes_s: list[float],
    stop_s: float,
) -> None:
    """Print the figures of the run."""
    stored = {message.seq for message in history}
    seen = [message for journal in journals.values() for message in journal.seen]
    lost = {message.seq for message in seen if message.seq not in stored}
    print("broken:      ", ", ".join(f"{what} {count}" for what, count in sorted(done.items())))
    print("said:        ", sum(len(j.sent) for j in journals.values()))
    print("acknowledged:", sum(len(j.acknowledgements) for j in journals.values()))
    print("not stored:  ", sum(len(j.unstored) for j in journals.values()))
    print("in the file: ", len(history))
    print("seen:        ", len(seen), "by", len(journals), "users")
    print("directs:     ", sum(len(j.directs) for j in journals.values()))
    print("  confirmed: ", sum(len(j.confirmed) for j in journals.values()))
    print("  came back: ", sum(len(j.undelivered) for j in journals.values()))
    print("  got:       ", sum(len(j.got) for j in journals.values()))
    print("gaps filled: ", sum(len(j.gaps) for j in journals.values()))
    print("lost unacknowledged in a crash, then said again:", len(lost))
    if downtimes_s:
        print(f"down for:     {max(downtimes_s):.2f} s at the longest")
    print(f"stopped in:   {stop_s:.2f} s")


if __name__ == "__main__":
    sys.exit(main())
