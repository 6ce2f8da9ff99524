"""A real server for each test, or for each module, and what they start it with."""

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

sys.path.insert(0, str(Path(__file__).parent))  # for what the tests import from beside themselves

from peers import PROGRAM, WAIT_S, Server


@pytest.fixture(scope="session", autouse=True)
def many_descriptors() -> None:
    """Let this process hold the thousand sockets of a crowd."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


@pytest.fixture(scope="session")
def together() -> Callable[..., None]:
    """Run calls in threads of their own, all from one instant on, and raise what they raise."""

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
    """Where the command is that all this is about."""
    return PROGRAM


@pytest.fixture(scope="module")
def threads(request: pytest.FixtureRequest) -> str:
    """Choose the thread model: two workers, or what `THREADS=session make test` asks for.

    A test that depends on the model is marked with BOTH_THREAD_MODELS.
    """
    return getattr(request, "param", os.environ.get("THREADS", "2"))


@pytest.fixture
def start_server(tmp_path: Path, threads: str) -> Iterator[Callable[..., Server]]:
    """Start servers with the options of one test, without a rate limit unless it asks for one."""
    with contextlib.ExitStack() as servers:
        numbers = itertools.count(1)

        def start(*options: str, within: tuple[str, ...] = ()) -> Server:
            if "--rate-limit" not in options:
                options = (*options, "--rate-limit", "off")
            if "--threads" not in options:
                options = (*options, "--threads", threads)
            log = tmp_path / f"server-{next(numbers)}.log"
            server = Server(options, log, within)
            servers.callback(server.stop)
            return server

        yield start


@pytest.fixture(scope="module")
def module_server(threads: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Start one server for the tests of a module."""
    log = tmp_path_factory.mktemp("server") / "server.log"
    server = Server(("--threads", threads, "--rate-limit", "off"), log)
    yield server
    server.stop()


@pytest.fixture
def server(module_server: Server) -> Iterator[Server]:
    """Give the module's server, empty, and empty it again after the test."""
    yield module_server
    assert module_server.process.poll() is None, module_server.log()
    module_server.part()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "history.db"


@pytest.fixture
def start(start_server, path):
    """Start servers, one after another, with the same history."""
    return lambda *options: start_server("--history", str(path), *options)


@pytest.fixture
def run(program):
    """Run the command to its end; what it prints is kept."""

    def run(*arguments, **options):
        return subprocess.run(
            [program, *map(str, arguments)],
            capture_output=True,
            timeout=WAIT_S,
            check=False,
            **options,
        )

    return run


@pytest.fixture
def client(program):
    """Run the real client for a user, as a process to be killed and stopped."""
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
