"""How many connections may be open, and how many of them unregistered from one address."""

import pytest

from tertulia.server.config import Config
from tertulia.server.workers.admission import Admission


def admission(**options: object) -> Admission:
    return Admission(Config(port=0, **options))  # type: ignore[arg-type]


def test_one_address_has_only_so_many_unregistered_connections():
    limits = admission(max_unregistered_per_address=2)
    assert [limits.admit("1.1.1.1") for _ in range(3)] == [True, True, False]
    assert limits.admit("2.2.2.2")
    limits.count_registered("1.1.1.1")
    assert limits.admit("1.1.1.1")
    limits.count_closed("1.1.1.1", is_registered=False)
    assert limits.admit("1.1.1.1")
    assert not limits.admit("1.1.1.1")


def test_a_connection_that_has_ended_its_session_counts_as_unregistered():
    limits = admission(max_unregistered_per_address=2)
    for _ in range(2):
        assert limits.admit("1.1.1.1")
        limits.count_registered("1.1.1.1")
        limits.count_released("1.1.1.1")
    assert not limits.admit("1.1.1.1")
    limits.count_closed("1.1.1.1", is_registered=False)
    assert limits.admit("1.1.1.1")


def test_shared_addresses_lift_the_limit_of_an_address():
    limits = admission(max_unregistered_per_address=2, shared_addresses=True)
    assert all(limits.admit("1.1.1.1") for _ in range(100))
    assert all(limits.count_elsewhere("1.1.1.1", "2.2.2.2") for _ in range(100))
    assert limits._unregistered == {"2.2.2.2": 100}


def test_connections_are_bounded_in_all():
    limits = admission(max_users=2, max_unregistered=1)
    assert [limits.admit(f"1.1.1.{i}") for i in range(4)] == [True, True, True, False]
    limits.count_registered("1.1.1.0")
    assert not limits.admit("1.1.1.9")
    limits.count_closed("1.1.1.0", is_registered=True)
    assert limits.admit("1.1.1.9")
    limits.count_closed("1.1.1.1", is_registered=False)
    assert limits.admit("1.1.1.8")
    assert not limits.admit("1.1.1.7")


def test_a_refused_connection_is_not_counted():
    limits = admission(max_unregistered_per_address=1, max_users=1, max_unregistered=1)
    assert limits.admit("1.1.1.1")
    assert not any(limits.admit("1.1.1.1") for _ in range(10))
    assert limits.admit("2.2.2.2")


def test_an_address_without_unregistered_connections_takes_up_no_room():
    limits = admission()
    for last in range(3):
        assert limits.admit(f"1.1.1.{last}")
    limits.count_registered("1.1.1.0")
    limits.count_closed("1.1.1.1", is_registered=False)
    assert limits._unregistered == {"1.1.1.2": 1}


def test_a_connection_of_a_proxy_counts_for_the_address_that_is_named():
    limits = admission(max_unregistered_per_address=1)
    assert limits.admit("proxy", is_proxy=True)
    assert limits.admit("proxy", is_proxy=True), "as many as in all, until they are named"
    assert limits.count_elsewhere("proxy", "1.1.1.1")
    assert not limits.count_elsewhere("proxy", "1.1.1.1")
    assert limits._unregistered == {"1.1.1.1": 2}
    assert limits.count_elsewhere("1.1.1.1", "2.2.2.2")


def test_a_proxy_that_names_itself_keeps_its_own_place():
    limits = admission(max_unregistered_per_address=1)
    assert limits.admit("proxy", is_proxy=True)
    assert limits.count_elsewhere("proxy", "proxy")
    assert limits._unregistered == {"proxy": 1}


def test_the_connections_of_proxies_are_bounded_in_all_too():
    limits = admission(max_users=1, max_unregistered=1)
    assert [limits.admit("proxy", is_proxy=True) for _ in range(3)] == [True, True, False]


def test_it_is_full_while_as_many_are_registered_as_may_be():
    limits = admission(max_users=1)
    for end in ("released", "closed"):
        assert limits.admit("1.1.1.1")
        assert not limits.is_full
        limits.count_registered("1.1.1.1")
        assert limits.is_full
        if end == "released":
            limits.count_released("1.1.1.1")
            assert not limits.is_full
        limits.count_closed("1.1.1.1", is_registered=end == "closed")
        assert not limits.is_full
    assert limits._unregistered == {}


@pytest.mark.parametrize("end", ["released", "closed"])
def test_of_two_users_one_makes_room_for_one(end):
    limits = admission(max_users=2)
    for number in range(4):
        assert limits.admit(f"1.1.1.{number}")
    for number in range(2):
        limits.count_registered(f"1.1.1.{number}")
    assert limits.is_full
    if end == "released":
        limits.count_released("1.1.1.0")
    else:
        limits.count_closed("1.1.1.0", is_registered=True)
    assert not limits.is_full
    limits.count_registered("1.1.1.2")
    assert limits.is_full


def test_consoles_are_bounded_apart_from_the_users():
    limits = admission(max_users=1, max_unregistered=0)
    assert limits.admit("1.1.1.1")
    assert not limits.admit("1.1.1.2")
    assert [limits.admit_console() for _ in range(9)] == [True] * 8 + [False]
    limits.count_console_closed()
    assert limits.admit_console()
    assert not limits.admit_console()
