"""What tests of the history share: ways to write, lock, kill and read one."""

import contextlib
import json
import signal
import sqlite3


@contextlib.contextmanager
def locked(path):
    """Keep the server from committing. It waits for 5 s before it reports `unavailable`."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("BEGIN IMMEDIATE")
        yield
        db.execute("ROLLBACK")


def kill(server):
    server.signal(signal.SIGKILL)
    server.process.wait()


def say_all(peer, texts):
    """Say all texts and return the numbers of their messages."""
    peer.send_all(*({"type": "say", "text": text, "id": n} for n, text in enumerate(texts)))
    seqs = {}
    while len(seqs) < len(texts):
        message = peer.next()
        if message["type"] == "ok":
            seqs[message["id"]] = message["seq"]
    return [seqs[n] for n in range(len(texts))]


def texts_of(page):
    assert page["type"] == "history", page
    return [message["text"] for message in page["messages"]]


def seqs_of(page):
    assert page["type"] == "history", page
    return [message["seq"] for message in page["messages"]]


def exported(run, path):
    """Return the whole history, read with `--export`."""
    done = run("--history", path, "--export", "-")
    assert (done.returncode, done.stderr) == (0, b"")
    return [json.loads(line) for line in done.stdout.splitlines()]


def whole_history(peer):
    """Return the whole history, read page by page."""
    page = peer.ask("history", limit=200, after=0)
    messages = page["messages"]
    while page["more"]:
        page = peer.ask("history", limit=200, after=messages[-1]["seq"])
        messages += page["messages"]
    return messages
