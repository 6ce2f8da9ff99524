"""Which addresses and names a certificate is for."""

import pytest

from tertulia.server.certificates.names import names_of_computer, names_to_certify


@pytest.mark.parametrize(
    ("hostname", "names"),
    [
        ("box", ["box", "box.local"]),
        ("Box.Example.org", ["box.example.org", "box", "box.local"]),
        ("my_box", ["my_box", "my_box.local"]),
        ("", []),
        ("localhost", ["localhost", "localhost.local"]),
        ("máquina", []),
        ("-box", []),
        ("x" * 64, []),
        ("10.0.0.1", ["10.local"]),
        ("a b", []),
    ],
)
def test_a_computer_has_its_host_name_alone_and_with_local(hostname: str, names: list[str]) -> None:
    assert names_of_computer(hostname, ()) == names


def test_names_that_are_given_are_added_but_no_addresses() -> None:
    given = ["Chat.Example.", "203.0.113.5", "box", "1.2.3"]
    assert names_of_computer("box", given) == ["box", "box.local", "chat.example"]


def test_private_addresses_are_named_and_no_others() -> None:
    found = names_to_certify(
        ["192.168.1.10", "10.0.0.1", "172.16.0.1", "169.254.1.1", "100.64.0.7", "fd00::1",
         "8.8.8.8", "172.32.0.1", "2001:db8::1", "fe80::1", "127.0.0.1"],
        ["box"],
    )  # fmt: skip
    assert found == {
        "192.168.1.10", "10.0.0.1", "172.16.0.1", "169.254.1.1", "100.64.0.7", "fd00::1",
        "127.0.0.1", "::1", "localhost", "box",
    }  # fmt: skip
