"""Fixtures that start real servers and clients, for one test or for all of a module."""

import contextlib
import itertools
import os
import resource
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # the tests import modules of this folder

from operators import SECRET
from peers import PROGRAM, WAIT_S, Cluster, Server

from tertulia.server.certificates.certificate import find_certificate
from tertulia.server.config import Config


@pytest.fixture(scope="session", autouse=True)
def many_descriptors() -> None:
    """Allow this process the thousand sockets of a crowd."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


@pytest.fixture(scope="session")
def together() -> Callable[..., None]:
    """Run each call in its own thread, start them all at one instant, raise what they raise."""

    def run_together(*calls: Callable[[], object]) -> None:
        start = threading.Barrier(len(calls))

        def run(call: Callable[[], object]) -> None:
            start.wait(WAIT_S)
            call()

        with ThreadPoolExecutor(len(calls)) as pool:
            runs = [pool.submit(run, call) for call in calls]
        for finished in runs:
            finished.result()

    return run_together


@pytest.fixture(scope="session")
def program() -> Path:
    """Return the path of the server's command."""
    return PROGRAM


@pytest.fixture
def console() -> Callable[..., "subprocess.CompletedProcess[str]"]:
    """Run the console of a server with these lines as its input, to its end."""

    def run(server: Server, *lines: str, lang: str = "en") -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [PROGRAM, str(server.port), "--operator", "--lang", lang],
            input="".join(f"{line}\n" for line in lines),
            capture_output=True,
            text=True,
            timeout=WAIT_S,
            check=False,
        )

    return run


@pytest.fixture(scope="module")
def threads(request: pytest.FixtureRequest) -> str:
    """Return the thread model of the servers: two workers, or the value of $THREADS.

    Mark a test with BOTH_THREAD_MODELS if its result can depend on the model.
    """
    return getattr(request, "param", os.environ.get("THREADS", "2"))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Have a test that is marked with IN_CLUSTER_TOO run twice, unless $CLUSTER is set."""
    if "CLUSTER" not in os.environ and metafunc.definition.get_closest_marker("in_cluster_too"):
        metafunc.parametrize("cluster", ["alone", "cluster"], indirect=True, scope="module")


@pytest.fixture(scope="module", autouse=True)
def cluster(request: pytest.FixtureRequest) -> Iterator[None]:
    """Make each server the only node of a chat of its own: see `make test-cluster`.

    $CLUSTER is the URL of a nats-server, or 1 for one that the tests start themselves.
    """
    url = os.environ.get("CLUSTER")
    if url == "1" or getattr(request, "param", "alone") != "alone":
        url = request.getfixturevalue("one_nats").urls[0]
    Cluster.url = url
    yield
    Cluster.url = None


@pytest.fixture(autouse=True)
def leave_out_what_a_cluster_changes(request: pytest.FixtureRequest) -> None:
    """Skip a test that is marked with `alone("why")` where each server is a node of a cluster."""
    marker = request.node.get_closest_marker("alone")
    if marker is not None and Cluster.url is not None:
        pytest.skip(f"not in a cluster: {marker.args[0]}")


@pytest.fixture
def start_server(tmp_path: Path, threads: str) -> Iterator[Callable[..., Server]]:
    """Start servers with a test's options, without a rate limit unless the test sets one."""
    with contextlib.ExitStack() as servers:
        numbers = itertools.count(1)

        def start(*options: str, within: tuple[str, ...] = (), port: int = 0) -> Server:
            log = tmp_path / f"server-{next(numbers)}.log"
            options = ("--threads", threads, "--rate-limit", "off", *options)
            server = Server(options, log, within, port)
            servers.callback(server.stop)
            return server

        yield start


@pytest.fixture(scope="module")
def module_server(threads: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Start one server for the tests of a module."""
    log = tmp_path_factory.mktemp("server") / "server.log"
    # A slow machine must not end a challenged session.
    times = ("--challenge-timeout", str(WAIT_S), "--register-timeout", str(2 * WAIT_S))
    server = Server(("--threads", threads, "--rate-limit", "off", *times), log)
    yield server
    server.stop()


@pytest.fixture
def server(module_server: Server) -> Iterator[Server]:
    """Return the module's server without any client; disconnect all clients after the test."""
    yield module_server
    assert module_server.process.poll() is None, module_server.log()
    module_server.part()


@pytest.fixture(scope="session")
def secret_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a file with the secret of operators, for --operator-secret."""
    path = tmp_path_factory.mktemp("secret") / "secret"
    path.write_text(f"{SECRET}\n")
    path.chmod(0o600)
    return path


@pytest.fixture
def path(tmp_path):
    return tmp_path / "history.db"


@pytest.fixture
def start(start_server, path):
    """Start one server after another with the same history."""
    return lambda *options: start_server("--history", str(path), *options)


@pytest.fixture(scope="session")
def own_certificate() -> None:
    """Make the certificate of this user: the very first start of a server says that it did."""
    find_certificate(Config(port=0))


@pytest.fixture
def run(program, own_certificate):
    """Run the command to its end and return its output."""

    def run(*arguments, within=(), **options):
        return subprocess.run(
            [*within, program, *map(str, arguments)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=WAIT_S,
            check=False,
            **options,
        )

    return run


@pytest.fixture
def client(program):
    """Run the real client as a process that a test can kill and stop."""
    with contextlib.ExitStack() as processes:

        def start(server, name, source):
            command = [program.with_name("tertulia"), name, "127.0.0.1", str(server.port)]
            process = subprocess.Popen(
                [*command, "--source", source, "--plain"],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            processes.enter_context(process)
            processes.callback(process.kill)
            return process

        yield start
