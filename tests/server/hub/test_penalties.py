"""Bans and mutes: found by name and by address, however many there are, until they are over."""

import itertools

from tertulia.server.hub.penalties import Penalties
from tertulia.server.hub.records import Ban

NOW, SOON, LATER = (f"2026-11-22T15:0{minute}:00.000Z" for minute in (0, 1, 2))
_numbers = itertools.count()


def ban(name=None, address=None, until=None, key=None) -> Ban:
    key = key or f"{name or address} {next(_numbers)}"
    return Ban(key=key, name=name, address=address, until=until, operator="ana", time=NOW)


def penalties(*bans: Ban) -> Penalties[Ban]:
    found: Penalties[Ban] = Penalties()
    for each in bans:
        found.put(each)
    return found


def test_a_name_fits_in_every_spelling():
    luis = ban(name="Luís")
    assert penalties(luis).fitting("luis", "10.0.0.1") == [luis]
    assert penalties(luis).fitting("leo", "10.0.0.1") == []


def test_an_address_fits_itself_and_a_network_everything_in_it():
    one, net, other = ban(address="10.0.0.7"), ban(address="10.0.0.0/28"), ban(address="::/0")
    bans = penalties(one, net, other)
    assert bans.fitting("x", "10.0.0.7") == [one, net]
    assert bans.fitting("x", "10.0.0.15") == [net]
    assert bans.fitting("x", "10.0.0.16") == []
    assert bans.fitting("x", "::ffff:10.0.0.7") == [one, net]
    assert bans.fitting("x", "fe80::7%eth0") == [other]


def test_an_address_that_is_none_fits_no_network():
    assert penalties(ban(address="0.0.0.0/0")).fitting("x", "a socket") == []


def test_one_penalty_that_fits_by_name_and_address_is_found_once():
    both = ban(name="luis", address="10.0.0.7")
    assert penalties(both).fitting("luis", "10.0.0.7") == [both]


def test_the_longest_counts():
    short, long = ban(name="luis", until=SOON), ban(address="10.0.0.7", until=LATER)
    ever = ban(address="10.0.0.0/8")
    assert penalties(short, long).longest("luis", "10.0.0.7") is long
    assert penalties(short, ever, long).longest("luis", "10.0.0.7") is ever
    assert penalties(short).longest("leo", "10.0.0.7") is None


def test_one_with_the_same_key_takes_the_place_of_the_other():
    first, second = ban(address="10.0.0.7", key="k"), ban(address="10.0.0.8", key="k")
    bans = penalties(first, second)
    assert list(bans) == [second]
    assert bans.fitting("x", "10.0.0.7") == []


def test_those_that_are_over_are_removed_and_nothing_is_left_of_them():
    short, long, ever = (ban(address="10.0.0.7", until=until) for until in (SOON, LATER, None))
    bans = penalties(long, ever, short)
    assert bans.expire(NOW) == []
    assert bans.expire(SOON) == [short]
    assert bans.fitting("x", "10.0.0.7") == [long, ever]
    assert bans.expire(LATER) == [long]
    assert bans.remove(ever.key)
    assert not bans.remove(ever.key)
    assert bans._by_network == {}


def test_a_penalty_that_was_made_longer_does_not_end_at_its_first_time():
    bans = penalties(ban(name="luis", until=SOON, key="k"), ban(name="luis", until=LATER, key="k"))
    assert bans.expire(SOON) == []
    assert len(bans) == 1


def test_a_penalty_that_was_removed_before_its_end_does_not_end_again():
    bans = penalties(ban(name="luis", until=SOON, key="k"), ban(name="eva", until=LATER, key="e"))
    assert bans.remove("k")
    assert bans.expire(SOON) == []
    assert [one.key for one in bans.expire(LATER)] == ["e"]


def test_the_ends_of_replaced_penalties_do_not_pile_up():
    bans = penalties()
    for _ in range(1_000):
        bans.put(ban(name="luis", until=LATER, key="k"))
    assert len(bans._ends) < 100


def test_outdated_ends_are_dropped_together_and_not_one_by_one():
    bans = penalties(*(ban(name=f"user{n}", until=LATER, key=str(n)) for n in range(10)))
    bans.put(ban(name="eva"))  # has no end
    sizes = []
    for _ in range(200):
        bans.put(ban(name="user0", until=LATER, key="0"))
        sizes.append(len(bans._ends))
    assert (min(sizes), max(sizes)) == (10, 2 * 11 + 64)


def test_the_first_to_end_is_still_found_first_when_replaced_penalties_were_dropped():
    long, short = ban(address="10.0.0.7", until=LATER), ban(address="10.0.0.8", until=SOON)
    bans = penalties(long, short)
    for _ in range(1_000):
        bans.put(ban(name="luis", until=LATER, key="k"))
    assert bans.expire(SOON) == [short]


def test_ten_thousand_bans_are_as_quickly_looked_at_as_one():
    bans = penalties(*(ban(address=f"10.{n // 250}.{n % 250}.1") for n in range(10_000)))
    assert len(bans._by_network) == 1  # which is all that is looked at, one after another
    assert len(bans.fitting("x", "10.39.249.1")) == 1
