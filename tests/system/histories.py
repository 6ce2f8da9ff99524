"""What tests of the history share: how to write one, lock one, end one, and read one."""

import contextlib
import json
import signal
import sqlite3


@contextlib.contextmanager
def locked(path):
    """Keep the server from committing. It waits for 5 s, then holds the disk to be unavailable."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("BEGIN IMMEDIATE")
        yield
        db.execute("ROLLBACK")


def kill(server):
    server.signal(signal.SIGKILL)
    server.process.wait()


def say_all(peer, texts):
    """Say all of them and give the numbers they were acknowledged with."""
    peer.send_all(
        *({"type": "say", "text": text, "id": number} for number, text in enumerate(texts))
    )
    acknowledged = {}
    while len(acknowledged) < len(texts):
        message = peer.next()
        if message["type"] == "ok":
            acknowledged[message["id"]] = message["seq"]
    return [acknowledged[number] for number in range(len(texts))]


def texts_of(page):
    assert page["type"] == "history", page
    return [message["text"] for message in page["messages"]]


def seqs_of(page):
    assert page["type"] == "history", page
    return [message["seq"] for message in page["messages"]]


def exported(run, path):
    """Give the whole history, by the command."""
    done = run("--history", path, "--export", "-")
    assert (done.returncode, done.stderr) == (0, b"")
    return [json.loads(line) for line in done.stdout.splitlines()]


def whole_history(peer):
    page = peer.ask("history", limit=200, after=0)
    messages = page["messages"]
    while page["more"]:
        page = peer.ask("history", limit=200, after=messages[-1]["seq"])
        messages += page["messages"]
    return messages
