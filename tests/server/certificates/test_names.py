"""Which addresses and names a certificate is for."""

import pytest

from tertulia.server.certificates.names import (
    is_local,
    lies_in,
    names_of_computer,
    names_to_certify,
)


@pytest.mark.parametrize(
    ("hostname", "names"),
    [
        ("room-3", ["room-3", "room-3.local"]),
        ("3pc07", ["3pc07", "3pc07.local"]),
        ("Box.Example.org", ["box.example.org", "box.local"]),
        ("dev", ["dev.local"]),
        ("xn--p1ai", ["xn--p1ai.local"]),
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
    assert names_of_computer("box", given) == ["box.local", "chat.example"]


def test_all_addresses_are_named_but_those_that_change_or_that_no_link_can_have() -> None:
    found = names_to_certify(
        ["192.168.1.10", "10.0.0.1", "192.0.2.2", "100.64.0.7", "fd00::1", "8.8.8.8",
         "2600::1", "fe80::1", "127.0.0.1"],
        ["box"],
    )  # fmt: skip
    assert found == {
        "192.168.1.10", "10.0.0.1", "192.0.2.2", "100.64.0.7", "fd00::1", "8.8.8.8",
        "127.0.0.1", "::1", "localhost", "box",
    }  # fmt: skip


@pytest.mark.parametrize("name", ["10.1.2.3", "::1", "fe80::1", "localhost", "a.b.lan", "x.local"])
def test_what_exists_only_on_local_networks(name: str) -> None:
    assert is_local(name)


@pytest.mark.parametrize("name", ["8.8.8.8", "172.32.0.1", "2600::1", "box", "lan.example", "xlan"])
def test_what_may_exist_elsewhere(name: str) -> None:
    assert not is_local(name)


def test_an_area_may_look_like_an_address() -> None:
    assert lies_in("3pc07", ["3pc07", "10.0.0.0/8"])
    assert not lies_in("10.0.0.1", ["3pc07"])
