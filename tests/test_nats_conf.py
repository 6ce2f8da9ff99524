"""packaging/nats.conf: a nats-server takes it, and it permits what a node does and nothing else.

The certificates are made, and the nodes started, by the commands of docs/operations.md.
"""

import asyncio
import contextlib
import os
import re
import shlex
import shutil
import ssl
import subprocess
import sys
import textwrap
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from linked_node import LinkedNode
from nats import errors
from nats.aio.client import Client
from piped_user import PipedUser

import tertulia
from tertulia.server.cluster.link import MAX_LOG_BYTES

ROOT = Path(__file__).parents[1]
CONF = (ROOT / "packaging/nats.conf").read_text()
PAGE = (ROOT / "docs/operations.md").read_text()
NATS_SERVER = str(Path(sys.executable).with_name("nats-server"))
NETWORK = f"127.{100 + os.getpid() % 100}.{os.getpid() // 100 % 250}."  # for this run alone
WAIT_S = 60.0
STREAM = "TERTULIA-tertulia"


class Machine(NamedTuple):
    """Where one of the three nats-servers is."""

    address: str
    folder: Path
    conf: Path


@pytest.fixture(scope="module")
def machines(tmp_path_factory: pytest.TempPathFactory) -> list[Machine]:
    """Do what the page says for three machines, in a folder and at a loopback address for each."""
    if shutil.which("openssl") is None:
        pytest.skip("there is no openssl here")
    folder = tmp_path_factory.mktemp("nats")
    [commands] = re.findall(r"^    openssl req.*?^    done$", PAGE, re.MULTILINE | re.DOTALL)
    script = textwrap.dedent(commands).replace("10.0.0.", NETWORK)
    subprocess.run(["sh", "-ec", script], cwd=folder, check=True, capture_output=True, timeout=60)
    found = []
    for number in (1, 2, 3):
        own = folder / f"machine{number}"
        own.mkdir()
        shutil.copy(folder / "ca.pem", own / "ca.pem")
        for end in ("pem", "key"):
            shutil.copy(folder / f"nats{number}.{end}", own / f"server.{end}")
        address, text = f"{NETWORK}{number}", CONF
        for old, new in {
            "server_name: nats1": f"server_name: nats{number}",
            "0.0.0.0": address,
            "127.0.0.1": address,
            "10.0.0.": NETWORK,
            "/etc/nats": str(own),
            "/var/lib/nats-server": str(own / "store"),
            "CHANGE-ME": "the password",
        }.items():
            assert old in text
            text = text.replace(old, new)
        (own / "nats.conf").write_text(text)
        found.append(Machine(address, own, own / "nats.conf"))
    return found


def test_a_nats_server_finds_nothing_wrong_with_the_file(machines: list[Machine]) -> None:
    for machine in machines:
        done = subprocess.run(
            [NATS_SERVER, "-t", "-c", str(machine.conf)],
            *(), capture_output=True, text=True, timeout=WAIT_S, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert "is valid" in done.stderr


@pytest.fixture
def running(machines: list[Machine]) -> Iterator[list[Machine]]:
    processes = []
    with contextlib.ExitStack() as files:
        for machine in machines:
            log = files.enter_context((machine.folder / "log").open("wb"))
            command = [NATS_SERVER, "-c", str(machine.conf)]
            processes.append(subprocess.Popen(command, stdout=log, stderr=log))
        try:
            for machine in machines:
                wait_until_healthy(machine)
            yield machines
        finally:
            for process in processes:
                process.terminate()
            for process in processes:
                process.wait(WAIT_S)


def wait_until_healthy(machine: Machine) -> None:
    """Wait until `curl http://ADDRESS:8222/healthz` would say ok, as the page asks for."""
    give_up_at = time.monotonic() + WAIT_S
    while True:
        try:
            with urllib.request.urlopen(f"http://{machine.address}:8222/healthz", timeout=WAIT_S):
                return
        except OSError as problem:  # it does not listen yet, or answers 503
            if isinstance(problem, urllib.error.HTTPError):
                problem.close()
            assert time.monotonic() < give_up_at, (machine.folder / "log").read_text()
            time.sleep(0.1)


@pytest.mark.long
def test_the_file_permits_what_a_node_does_and_nothing_else(
    running: list[Machine], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(running[0].folder / "ca.pem"))
    credentials = credentials_in(running[0].folder)
    lab1, lab2 = (
        LinkedNode(
            (f"tls://{machine.address}:4222",), "tertulia",
            credentials=str(credentials), max_bytes=MAX_LOG_BYTES,
        )
        for machine in running[:2]
    )  # fmt: skip
    lab1.link.start()
    lab2.link.start()
    try:
        do_what_nodes_do(lab1, lab2)
        assert [line for line in caplog.messages if "refuses" in line] == []
        asyncio.run(try_what_is_not_permitted(running[2]))
        lab1.link.delete_stream()
    finally:
        lab1.link.stop(WAIT_S)
        lab2.link.stop(WAIT_S)


def credentials_in(folder: Path) -> str:
    path = folder / "cluster"
    path.write_text("tertulia\nthe password\n")
    path.chmod(0o600)
    return str(path)


@pytest.mark.long
def test_three_nodes_become_one_chat_as_the_page_says(
    running: list[Machine], tmp_path: Path
) -> None:
    [command] = re.findall(r"^ +ExecStart=\S+ (5000 (?:.*\\\n)+.*)", PAGE, re.MULTILINE)
    command = command.replace("\\\n", " ").replace("10.0.0.", NETWORK)
    command = command.replace("${CREDENTIALS_DIRECTORY}/cluster", credentials_in(tmp_path))
    nodes: list[PipedUser] = []
    try:
        for number in (1, 2, 3):
            options = shlex.split(command.replace("lab1", f"lab{number}"))
            options += ["--host", f"{NETWORK}1{number}", "--announce", "off", "--lang", "en"]
            environment = {
                **os.environ,
                "SSL_CERT_FILE": str(running[0].folder / "ca.pem"),
                "XDG_STATE_HOME": str(tmp_path / f"lab{number}"),
            }
            program = [sys.executable, "-m", "tertulia.server.cli", *options]
            nodes.append(PipedUser(program, environment))
            others = ",".join(f"lab{other}" for other in range(1, number)) or "-"
            words = f"node serves node=lab{number} others={others}"
            node = nodes[-1]
            node.wait_until(lambda node=node, words=words: any(words in w for w in node.words))
        talk(f"{NETWORK}11", f"{NETWORK}13")
    finally:
        for node in nodes:
            node.process.terminate()
        for node in nodes:
            node.leave()


def talk(here: str, there: str) -> None:
    """Let two people come in through two nodes, and one hear the other."""
    with (
        tertulia.Client.connect(here, 5000, "ana", source="127.0.0.2", timeout=WAIT_S) as ana,
        tertulia.Client.connect(there, 5000, "luis", source="127.0.0.3", timeout=WAIT_S) as luis,
    ):
        ana.say("hola")
        while True:
            heard = luis.receive(WAIT_S)
            assert heard is not None
            if isinstance(heard.message, tertulia.ChatMessage):
                break
        assert heard.message.text == "hola"


def do_what_nodes_do(lab1: LinkedNode, lab2: LinkedNode) -> None:
    assert lab1.link.open_stream().replicas == 3
    lab2.link.consume_from(1)
    lab1.link.consume_from(1)
    long = [f"{number} ".encode() * 20_000 for number in range(60)]  # The consumers are held back.
    lab1.propose(*long)
    for node in (lab1, lab2):
        node.wait(lambda node=node: len(node.entries) >= len(long))
        assert [entry.data for entry in node.entries] == long
    lab2.link.serve("tertulia.tertulia.node.lab2.pages", lambda data, reply: reply(data * 2))
    lab1.wait(lambda: lab1.link.ask("tertulia.tertulia.node.lab2.pages", b"ab", 5.0) == b"abab")
    for node in (lab1, lab2):
        assert node.link.stats.refused == 0


async def try_what_is_not_permitted(machine: Machine) -> None:
    refusals: asyncio.Queue[str] = asyncio.Queue()
    client = await connected(machine, "the password", refusals)
    for subject in (
        *("tertulia.other.log", "tertulia.other.node.lab1.pages", "elsewhere"),
        *("$JS.API.STREAM.CREATE.OTHER", "$JS.API.STREAM.INFO.OTHER", "$JS.API.STREAM.NAMES"),
        *(f"$JS.API.STREAM.PURGE.{STREAM}", f"$JS.API.STREAM.UPDATE.{STREAM}"),
        *("$JS.API.CONSUMER.CREATE.OTHER.a", "$SYS.REQ.SERVER.PING"),
    ):
        await client.publish(subject, b"{}")
        await see_refused(refusals, subject)
    for subject in ("tertulia.other.>", "tertulia.>", "$SYS.>", "$JS.>", ">"):
        await client.subscribe(subject)
        await see_refused(refusals, subject)
    await client.close()
    with pytest.raises(errors.Error, match=r"(?i)authorization"):
        await connected(machine, "another one", refusals)


async def see_refused(refusals: asyncio.Queue[str], subject: str) -> None:
    """Wait until the nats-server has refused a subject."""
    refusal = await asyncio.wait_for(refusals.get(), WAIT_S)
    assert refusal.endswith(f'"{subject.lower()}"')


async def connected(machine: Machine, password: str, refusals: asyncio.Queue[str]) -> Client:
    async def note(error: Exception) -> None:
        if "permissions violation" in str(error):
            refusals.put_nowait(str(error))

    client = Client()
    try:
        await client.connect(
            f"tls://{machine.address}:4222",
            tls=ssl.create_default_context(cafile=machine.folder / "ca.pem"),
            user="tertulia",
            password=password,
            error_cb=note,
            allow_reconnect=False,
        )
    except errors.Error:
        await client.close()  # nats-py leaves the connection open
        raise
    return client
