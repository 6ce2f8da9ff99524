"""The addresses of nats-servers, as an operator may write them."""

import pytest

from tertulia.server.cluster.addresses import parse_address
from tertulia.server.cluster.unusable import ClusterUnusable


@pytest.mark.parametrize(
    ("text", "url", "shown", "has_tls"),
    [
        ("nats://a:4222", "nats://a:4222", "a:4222", False),
        (
            "tls://nats.example.org:4443",
            "tls://nats.example.org:4443",
            "nats.example.org:4443",
            True,
        ),
        ("a", "nats://a:4222", "a:4222", False),
        ("10.0.0.2:5", "nats://10.0.0.2:5", "10.0.0.2:5", False),
        ("tls://[fe80::1]", "tls://[fe80::1]:4222", "[fe80::1]:4222", True),
        ("nats://a/", "nats://a:4222", "a:4222", False),
        ("nats://ana:secret@a", "nats://ana:secret@a:4222", "a:4222", False),
    ],
)
def test_the_address(text: str, url: str, shown: str, has_tls: bool) -> None:
    address = parse_address(text)
    assert (address.url, str(address), address.has_tls) == (url, shown, has_tls)


@pytest.mark.parametrize(
    "text",
    ["", "nats://", "http://a", "ws://a:80", "nats://a:x", "nats://a:0", "nats://a:70000",
     "nats://a/b", "nats://a?b", "nats://a b", "nats://[::1", "nats://a:4222,nats://b:4222"],
)  # fmt: skip
def test_no_address(text: str) -> None:
    with pytest.raises(ClusterUnusable, match="is not the address of a nats-server"):
        parse_address(text)


@pytest.mark.parametrize(
    "text", ["nats://ana:secret@a:0", "http://ana:secret@a", "http://secret@a"]
)
def test_a_refusal_shows_no_secret(text: str) -> None:
    with pytest.raises(ClusterUnusable) as caught:
        parse_address(text)
    assert "secret" not in str(caught.value)
