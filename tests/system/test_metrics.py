"""The metrics and the health of a running server, asked from outside."""

import http.client
import socket

from peers import BOTH_THREAD_MODELS, WAIT_S, trusting, wait_for
from prometheus_client.parser import text_string_to_metric_families
from web_peer import WebPeer


def get(
    server, path="/metrics", method="GET", *, source=None, header=b"", tls=None, to=None, **fields
):
    """Return status and text of an answer; `header` is that of a proxy, which comes first."""
    if to is None:
        sock = socket.create_connection(
            ("127.0.0.1", server.port), WAIT_S, source_address=(source, 0) if source else None
        )
    else:
        sock = socket.socket(socket.AF_UNIX)
        sock.settimeout(WAIT_S)
        sock.connect(str(to))
    with sock:
        if header:
            sock.sendall(header)
        channel = tls.wrap_socket(sock) if tls is not None else sock
        lines = [f"{method} {path} HTTP/1.1", f"Host: 127.0.0.1:{server.port}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in fields.items()]
        channel.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        answer = http.client.HTTPResponse(channel, method=method)
        answer.begin()
        text = answer.read().decode()
        channel.close()
    return answer.status, text


def values(text):
    return {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def measured(server):
    status, text = get(server)
    assert status == 200
    return values(text)


@BOTH_THREAD_MODELS
def test_what_happens_is_in_the_metrics(server):
    before = measured(server)

    def grown(*key):
        return measured(server)[key] - before[key]

    ana, luis = server.user("ana"), server.user("luis")
    web = WebPeer("127.0.0.1", server.port, None)
    server.peers.append(web)
    web.register("eva")
    ana.until("joined", name="eva")
    ana.ask("say", text="hola")
    luis.until("message", text="hola")
    ana.ask("direct", to="luis", text="oye")
    ana.send("say", text="")
    ana.until("error", code="text_invalid")
    now = measured(server)
    assert now["tertulia_connections", "native", "registered"] == 2
    assert now["tertulia_connections", "registered", "web"] == 1
    assert now["tertulia_sessions", "ACTIVO"] == 3
    assert (
        grown(
            "tertulia_sessions_begun_total",
        )
        == 3
    )
    assert (
        grown(
            "tertulia_messages_total",
        )
        == 1
    )
    assert (
        grown(
            "tertulia_direct_messages_total",
        )
        == 1
    )
    assert grown("tertulia_requests_refused_total", "text_invalid") == 1
    assert (
        grown(
            "tertulia_say_to_last_send_seconds_count",
        )
        >= 4
    )
    assert (
        grown(
            "tertulia_deliveries_total",
        )
        >= 5
    )
    assert (
        grown(
            "tertulia_received_bytes_total",
        )
        > 100
    )
    assert (
        grown(
            "tertulia_sent_bytes_total",
        )
        > 1_000
    )
    assert now["tertulia_threads", "worker"] >= 1
    assert now["tertulia_thread_context_switches_total", "voluntary", "worker"] > 0
    assert now["tertulia_process_restarts_total",] == 0
    ana.send("quit")
    luis.until("left", name="ana")
    wait_for(lambda: grown("tertulia_sessions_ended_total", "quit") == 1, "the end of a session")


@BOTH_THREAD_MODELS
def test_no_counter_ever_falls(server):
    before = measured(server)
    for number in range(5):
        with server.user(f"user{number}").socket:
            pass
        after = measured(server)
        fallen = [
            key
            for key, value in before.items()
            if key[0].endswith(("_total", "_count", "_sum", "_bucket")) and after[key] < value
        ]
        assert fallen == []
        before = after


def test_it_is_well_over_http_and_https_and_says_so_to_head(server):
    assert get(server, "/healthz") == (200, "ok\n")
    assert get(server, "/healthz", tls=trusting()) == (200, "ok\n")
    assert get(server, "/healthz", tls=trusting("http/1.1")) == (200, "ok\n")
    assert get(server, "/healthz", method="HEAD") == (200, "")
    assert get(server, "/metrics", method="POST")[0] == 405
    assert get(server, "/metrics", X_Forwarded_For="127.0.0.1")[0] == 403


def test_metrics_are_for_the_given_addresses_and_do_not_need_the_page(start_server, tmp_path):
    path = tmp_path / "chat.sock"
    server = start_server(
        *("--web", "off", "--metrics", "127.0.60.0/28", "--metrics", "10.7.0.0/16"),
        *("--metrics", "127.0.0.1"),
        *("--proxy-from", "127.0.50.5", "--unix", str(path)),
    )
    assert get(server, source="127.0.60.1")[0] == 200
    assert get(server, "/healthz", source="127.0.60.1", tls=trusting("http/1.1"))[0] == 200
    status, words = get(server, source="127.0.61.1")
    assert status == 403
    assert "not for 127.0.61.1" in words

    # What a proxy says of its client counts; where it says nothing, nobody is let in.
    def named(address):
        return f"PROXY TCP4 {address} 127.0.0.1 1 2\r\n".encode()

    for where in ({"source": "127.0.50.5"}, {"to": path}):
        assert get(server, header=named("10.7.0.1"), **where)[0] == 200
        assert get(server, header=named("10.8.0.1"), **where)[0] == 403
        assert get(server, header=b"PROXY UNKNOWN\r\n", **where)[0] == 403
    assert "without naming its client" in get(server, to=path)[1]
    # A proxy that looks by itself whether the server is well has its own address.
    local = b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0"
    assert get(server, "/healthz", header=local, to=path) == (200, "ok\n")
    assert get(server, "/healthz", header=local, source="127.0.50.5")[0] == 403
    # Everything else is as without the page.
    peer = server.peer("127.0.60.2")
    peer.send_raw(b"GET / HTTP/1.1\r\n\r\n")
    peer.expect_error("malformed")


def test_a_full_server_is_still_well(start_server):
    server = start_server("--max-users", "1", "--max-unregistered", "1", "--metrics", "127.0.0.1")
    server.user("ana")
    server.peer()  # nobody else comes in now
    wait_for(lambda: get(server, "/", source="127.0.9.1")[0] == 503, "a full server")
    assert get(server, "/healthz") == (200, "ok\n")
    assert get(server, "/healthz", tls=trusting("http/1.1")) == (200, "ok\n")
    found = measured(server)
    assert found["tertulia_connections_refused_total", "server_full"] >= 1
    assert get(server, "/healthz", source="127.0.9.1")[0] == 503


def test_a_history_that_cannot_be_written_is_not_well(start_server, path):
    server = start_server("--history", str(path))
    ana = server.user("ana")
    path.rename(path.with_name("elsewhere"))
    ana.send("say", text="hola", id=1)
    ana.until("error", code="unavailable")
    status, text = get(server, "/healthz")
    assert (status, text) == (
        503,
        "the history cannot be written: the file was removed or replaced\n",
    )
    found = measured(server)
    assert found["tertulia_healthy",] == 0
    assert found["tertulia_requests_refused_total", "unavailable"] == 1
