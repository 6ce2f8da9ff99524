"""The command lines that lead to a server, and those that may work where one has failed."""

import pytest

from tertulia.chat import destination, loopback
from tertulia.chat.destination import Destination
from tertulia.client.addresses import Address, parse_addresses


@pytest.fixture(autouse=True)
def computer(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Put this test on a computer that is 127.0.0.1 and 10.0.0.1; return the addresses in use."""
    here = {"127.0.0.1": "127.0.0.1", "localhost": "127.0.0.1", "10.0.0.1": "10.0.0.1"}
    used: set[str] = set()
    monkeypatch.setattr(destination, "usual_source", here.get)
    for module in (destination, loopback):
        monkeypatch.setattr(module, "sources_in_use", lambda _port: used)
    return used


def test_the_command_leads_there_with_another_name_or_source_if_wanted() -> None:
    there = Destination("luis", "192.168.1.10", 5000)
    assert there.command() == "tertulia luis 192.168.1.10 5000"
    assert there.command(name="eva") == "tertulia eva 192.168.1.10 5000"
    assert there.command(source="127.0.0.3") == "tertulia luis 192.168.1.10 5000 --source 127.0.0.3"


def test_several_servers_stay_in_the_command_as_they_can_be_typed_again() -> None:
    others = (Address("lab2", 5001), Address("::1", 5000), Address("fd00::3", 5001))
    to = Destination("luis", "10.0.0.1", 5000, others=others)
    assert to.command() == "tertulia luis 10.0.0.1,lab2:5001,[::1],[fd00::3]:5001 5000"
    assert to.addresses == parse_addresses(to.hosts, to.port)
    assert to.only(others[0]).command() == "tertulia luis lab2 5001"


def test_the_source_stays_in_the_command() -> None:
    to = Destination("luis", "127.0.0.1", 5000, "127.0.0.2")
    assert to.command_with_another_name() == ("tertulia luis2 127.0.0.1 5000 --source 127.0.0.2")


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("luis", "luis2"),
        ("luis2", "luis3"),
        ("luis99", "luis100"),
        ("x" * 32, "x" * 31 + "2"),
        ("2", "22"),
        ("a1234567890", "a12345678902"),
    ],
)
def test_the_other_name_counts_up_and_stays_a_name(name: str, other: str) -> None:
    assert Destination(name, "h", 1).command_with_another_name() == f"tertulia {other} h 1"


@pytest.mark.parametrize(
    ("name", "valid"),
    [("ana maría!", "ana_maría"), ("-x-", "x"), ("é" * 40, "é" * 32), ("!!", None), ("", None)],
)
def test_the_valid_name_is_similar_if_there_is_one(name: str, valid: str | None) -> None:
    expected = None if valid is None else f"tertulia {valid} h 1"
    assert Destination(name, "h", 1).command_with_valid_name() == expected


@pytest.mark.parametrize(
    ("host", "source", "other"),
    [
        ("127.0.0.1", None, "127.0.0.2"),
        ("localhost", "127.0.0.9", "127.0.0.10"),
        ("127.0.0.1", "127.1.2.254", "127.1.2.1"),
        ("10.0.0.1", None, "127.0.0.2"),
        ("127.0.0.1", "::1", None),
        ("192.168.1.10", None, None),
    ],
)
def test_only_on_one_machine_another_source_helps(
    host: str, source: str | None, other: str | None
) -> None:
    expected = None if other is None else f"tertulia luis {host} 5000 --source {other}"
    assert Destination("luis", host, 5000, source).command_with_another_source() == expected


def test_the_other_source_is_one_that_nobody_uses(computer: set[str]) -> None:
    computer |= {"127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.5"}
    to = Destination("luis", "127.0.0.1", 5000)
    assert to.command_with_another_source() == "tertulia luis 127.0.0.1 5000 --source 127.0.0.4"


def test_with_the_name_the_address_may_be_taken_too(computer: set[str]) -> None:
    to = Destination("luis", "127.0.0.1", 5000)
    computer |= {"127.0.0.2"}
    assert to.command_with_another_name() == "tertulia luis2 127.0.0.1 5000"
    computer |= {"127.0.0.1"}
    assert to.command_with_another_name() == "tertulia luis2 127.0.0.1 5000 --source 127.0.0.3"
