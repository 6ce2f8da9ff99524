"""How curl reaches the server: the link, and the options for its certificate."""

import pytest

from tertulia.chat.hook_address import curl_options, server_link
from tertulia.client.addresses import Address
from tertulia.tls.fingerprint import Fingerprint

CERTIFICATE = Fingerprint(bytes(range(32)))


@pytest.mark.parametrize(
    ("address", "link"),
    [
        (Address("chat.example", 5000), "://chat.example:5000"),
        (Address("fe80::1%eth0", 5000), "://[fe80::1%25eth0]:5000"),
    ],
)
def test_the_link_uses_tls_if_the_client_does(address: Address, link: str) -> None:
    assert server_link(address, None) == "http" + link
    assert server_link(address, CERTIFICATE) == "https" + link


def test_curl_trusts_the_key_of_a_certificate_alone() -> None:
    assert curl_options(None) == ""
    assert curl_options(CERTIFICATE) == (
        '-k --pinnedpubkey "sha256//AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="'
    )
