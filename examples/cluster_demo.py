"""Show several machines as one chat: three nats-servers, two servers, and two people.

All of it runs on this machine, at addresses that only this machine can reach, and in a folder that
is removed at the end. The people are the ordinary client with its input and output in pipes; each
line that it writes is shown behind its name.

    .venv/bin/python examples/cluster_demo.py [--lang es|en]
"""

import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from pathlib import Path

from tertulia.i18n import _, language_option, set_language

WAIT_S = 60.0  # for each thing that is to happen; a slow machine takes long to start programs
PAUSE_S = 1.5  # before each scene, for those who watch
PORT = 5000
NATS_CONFIG = """\
server_name: {name}
listen: "{address}:{port}"
jetstream {{ store_dir: "{store}", max_mem: 64M, max_file: 4G, sync_interval: always }}
cluster {{ name: demo, listen: "{address}:{route_port}", routes: [{routes}] }}
"""


def main() -> int:
    """Start everything, kill a server and a nats-server, and end everything."""
    lang = language_option(sys.argv[1:])
    set_language(lang)
    nats_server = shutil.which("nats-server", path=_beside_python())
    if nats_server is None:
        print(_("There is no nats-server here: run make demo-cluster."), file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory(prefix="tertulia-") as folder, ExitStack() as programs:
        try:
            show(Demo(Path(folder), nats_server, lang, programs))
        except KeyboardInterrupt:
            return 130  # as a shell says of a program that Ctrl+C has ended
    return 0


def show(demo: "Demo") -> None:
    """Play one scene after the other."""
    title(_("Three nats-servers start, as if on three machines"))
    nats = [demo.start_nats(number) for number in (1, 2, 3)]

    title(_("Two servers start, as if on two more machines, and are one chat"))
    lab1, lab2 = demo.start_server("lab1"), demo.start_server("lab2")

    title(_("Ana comes in through lab1, and Luis through lab2"))
    ana, luis = demo.start_person("ana", "lab1"), demo.start_person("luis", "lab2")
    ana.see(r"luis")

    title(_("Everyone sees everything in the same order, on both servers"))
    tell(ana, luis, _("good morning, shall we begin?"))
    tell(luis, ana, _("I am ready ☕"))

    title(_("A direct message goes from one server to the other, and nobody else sees it"))
    tell(luis, ana, _("do you have the keys?"), "@ana ")

    title(_("lab1 is killed (kill -9): Ana was there"))
    say("    " + _("Her program moves to lab2 by itself, and sends what she typed meanwhile."))
    lab1.kill()
    tell(ana, luis, _("did anybody notice?"))
    tell(luis, ana, _("no, what was it?"))

    title(_("One of the three nats-servers is killed, too: the other two are enough"))
    nats[0].kill()
    tell(luis, ana, _("and we are still here"))

    title(_("lab1 starts again, and has in its history what was said without it"))
    lab1 = demo.start_server("lab1")
    demo.show_history("lab1", until=_("and we are still here"))

    title(_("Everyone leaves, and everything ends"))
    for person in (ana, luis):
        person.leave()
    for program in (lab1, lab2, *nats[1:]):
        program.stop()


def tell(speaker: "Person", listener: "Person", text: str, before: str = "") -> None:
    """Let somebody type a line, and wait until both see the text."""
    speaker.say(before + text)
    for person in (listener, speaker):
        person.see(text)


class Program:
    """A program of the demo, and the lines that it has written."""

    def __init__(self, name: str, command: list[str], environment: dict[str, str]) -> None:
        self.name = name
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=environment,
            start_new_session=True,  # Ctrl+C is for the demo, which then ends the others in order.
        )
        self._lines: list[str] = []
        self._looked_at = 0
        self._changed = threading.Condition()
        self._has_ended = False
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.show(line.rstrip("\n"))
            with self._changed:
                self._lines.append(line.rstrip("\n"))
                self._changed.notify_all()
        with self._changed:
            self._has_ended = True
            self._changed.notify_all()

    def show(self, line: str) -> None:
        """Print a line of the program, if it is for the eyes."""

    def wait_for(self, pattern: str) -> None:
        """Wait until a further line fits."""
        end = time.monotonic() + WAIT_S
        with self._changed:
            while not self._find(pattern):
                if self._has_ended or not self._changed.wait(end - time.monotonic()):
                    written = "\n".join(self._lines[-20:])
                    raise RuntimeError(f"{self.name} did not write {pattern!r}:\n{written}")

    def _find(self, pattern: str) -> bool:
        while self._looked_at < len(self._lines):
            self._looked_at += 1
            if re.search(pattern, self._lines[self._looked_at - 1]):
                return True
        return False

    def kill(self) -> None:
        """End the program without a warning."""
        say(f"    kill -9 {self.process.pid}   # {self.name}")
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        """End the program in order, if it still runs."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(WAIT_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
        self.process.wait()
        self._reader.join(WAIT_S)
        for stream in (self.process.stdin, self.process.stdout):
            assert stream is not None
            stream.close()


class Person(Program):
    """The client of somebody, line by line."""

    def show(self, line: str) -> None:
        say(f"    [{self.name}] {line}")

    def say(self, text: str) -> None:
        """Type a line."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{text}\n")
        self.process.stdin.flush()

    def see(self, text: str) -> None:
        """Wait until this stands in a further line."""
        self.wait_for(re.escape(text))

    def leave(self) -> None:
        """Close the input, which ends the client."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(WAIT_S)
        self._reader.join(WAIT_S)


class Demo:
    """The addresses and folders of the programs."""

    def __init__(
        self, folder: Path, nats_server: str, lang: str | None, programs: ExitStack
    ) -> None:
        self._folder = folder
        self._nats_server = nats_server
        self._language = ["--lang", lang] if lang else []
        self._programs = programs
        # A network of loopback addresses for each run, so that two demos do not meet.
        self._network = f"127.{100 + os.getpid() % 100}.{os.getpid() // 100 % 250}"
        self._nats_port, self._route_port = self._free_port(4222), self._free_port(6222)
        self._hosts = {"lab1": f"{self._network}.11", "lab2": f"{self._network}.12"}
        self._people = {"ana": f"{self._network}.21", "luis": f"{self._network}.22"}

    def _free_port(self, usual: int) -> int:
        for port in range(usual, usual + 100):
            with socket.socket() as probe:
                try:
                    probe.bind((f"{self._network}.1", port))
                except OSError:
                    continue
                return port
        raise RuntimeError("all ports are in use")

    def _address(self, number: int) -> str:
        return f"{self._network}.{number}"

    @property
    def _servers(self) -> str:
        return ",".join(f"nats://{self._address(n)}:{self._nats_port}" for n in (1, 2, 3))

    def _start(self, program: Program) -> None:
        self._programs.callback(program.stop)

    def start_nats(self, number: int) -> Program:
        """Start one of the three nats-servers."""
        name, folder = f"nats{number}", self._folder / f"nats{number}"
        folder.mkdir()
        routes = (f'"nats://{self._address(n)}:{self._route_port}"' for n in (1, 2, 3))
        config = folder / "nats.conf"
        config.write_text(
            NATS_CONFIG.format(
                name=name,
                address=self._address(number),
                port=self._nats_port,
                route_port=self._route_port,
                store=folder / "store",
                routes=", ".join(routes),
            )
        )
        say(f"    nats-server -c {name}/nats.conf")
        program = Program(name, [self._nats_server, "-c", str(config)], dict(os.environ))
        self._start(program)
        program.wait_for("Server is ready")
        return program

    def start_server(self, name: str) -> Program:
        """Start a server of tertulia; it prints a line when it listens."""
        folder = self._folder / name
        options = [
            *(str(PORT), "--host", self._hosts[name], "--node", name),
            *("--cluster", self._servers, "--history", str(folder / "history.db")),
        ]
        say(f"    tertulia-server {shlex.join(options)}")
        command = [sys.executable, "-m", "tertulia.server.cli", *options, *self._language]
        program = Program(name, [*command, "--announce", "off"], self._environment(folder))
        self._start(program)
        program.wait_for("^listening on ")
        return program

    def start_person(self, name: str, server: str) -> Person:
        """Start the client of somebody."""
        options = [name, self._hosts[server], str(PORT)]
        say(f"    tertulia {shlex.join(options)}")
        command = [sys.executable, "-m", "tertulia.cli", *options, *self._language]
        command += ["--source", self._people[name], "--commands"]
        person = Person(name, command, self._environment(self._folder / name))
        self._start(person)
        person.see(name)
        return person

    def show_history(self, name: str, until: str) -> None:
        """Print the messages that the history of a server has, once it has the last one."""
        path = str(self._folder / name / "history.db")
        command = [sys.executable, "-m", "tertulia.server.cli", "--history", path, "--export", "-"]
        end = time.monotonic() + WAIT_S
        while True:
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            if until in done.stdout:
                break
            if time.monotonic() > end:
                raise RuntimeError(f"{until!r} is not in the history of {name}:\n{done.stdout}")
        for line in done.stdout.splitlines():
            say(f"    {line}")

    def _environment(self, folder: Path) -> dict[str, str]:
        """Return an environment in which a program leaves nothing outside of its folder."""
        folder.mkdir(exist_ok=True)
        places = ("XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME")
        return {**os.environ, **dict.fromkeys(places, str(folder)), "PYTHONUNBUFFERED": "1"}


def _beside_python() -> str:
    return os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])


def title(text: str) -> None:
    """Print the title of the next scene."""
    if sys.stdout.isatty():
        time.sleep(PAUSE_S)
    say(f"\n── {text}")


def say(line: str) -> None:
    """Print a line as a whole, although several threads print."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
