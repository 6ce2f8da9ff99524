"""Operators, and those who are refused because of them."""

SECRET = "a-secret-of-the-operator"


def operator(server, name="ana"):
    peer = server.user(name)
    assert peer.ask("operator", secret=SECRET)["type"] == "ok"
    return peer


def refused(server, name, source=None, **fields):
    """Return the refusal of a registration, which ends the connection."""
    peer = server.peer(source)
    peer.send("register", name=name, id=1, **fields)
    error = peer.expect("error", id=1)
    peer.expect_end()
    return error


def error_of(peer, kind, **fields):
    answer = peer.ask(kind, **fields)
    assert answer["type"] == "error", answer
    return answer["code"]
