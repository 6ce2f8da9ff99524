"""The addresses of nats-servers, as an operator may write them."""

import pytest

from tertulia.server.cluster.addresses import parse_address


@pytest.mark.parametrize(
    ("text", "url", "shown"),
    [
        ("nats://a", "nats://a:4222", "a:4222"),
        ("nats://a:4222/", "nats://a:4222", "a:4222"),
        ("nats://10.0.0.2:5", "nats://10.0.0.2:5", "10.0.0.2:5"),
        ("nats://a:0", "nats://a:0", "a:0"),
        ("tls://nats.example:65535", "tls://nats.example:65535", "nats.example:65535"),
        ("tls://[fe80::1]", "tls://[fe80::1]:4222", "[fe80::1]:4222"),
        ("NATS://Nats-1.Example", "nats://nats-1.example:4222", "nats-1.example:4222"),
    ],
)
def test_an_address_gets_the_usual_port_and_can_be_shown(text: str, url: str, shown: str) -> None:
    address = parse_address(text)
    assert (address.url, str(address)) == (url, shown)
    assert address.has_tls == url.startswith("tls")


@pytest.mark.parametrize(
    "text",
    [
        *("", "a", "a:4222", "http://a:4222", "nats://", "nats://:4222", "nats://a:"),
        *("nats://a:port", "nats://a:65536", "nats://a:4222/x", "nats://a?x=1", "nats://a b"),
        *("nats://a#x", "nats://::1", "nats://[::1", "nats://[v1.x]", "nats://ñ.example"),
        *("nats://-a", "nats://a\n:4222", "nats://a:4222,nats://b:4222"),
    ],
)
def test_no_address(text: str) -> None:
    with pytest.raises(ValueError, match="not the address of a nats-server"):
        parse_address(text)


@pytest.mark.parametrize("text", ["nats://ana:secret@a", "nats://ana:secret", "nats://[secret@a"])
def test_an_address_with_a_login_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(ValueError, match="not the address") as caught:
        parse_address(text)
    assert "secret" not in str(caught.value)
