"""Which server is expected, over TLS or not, and what the user is told of it."""

from pathlib import Path

import pytest

from tertulia.chat.destination import Destination
from tertulia.chat.known_servers import KnownServers
from tertulia.chat.trust import Trust
from tertulia.client.addresses import Address
from tertulia.tls.fingerprint import Fingerprint

HERE, THERE = Address("192.168.1.10", 5000), Address("192.168.1.11", 5000)
ONE, OTHER = Fingerprint(b"\x01" * 32), Fingerprint(b"\x02" * 32)


@pytest.fixture
def known(tmp_path: Path) -> KnownServers:
    return KnownServers(tmp_path / "known_servers")


def to(**options) -> Destination:
    return Destination("ana", "192.168.1.10", 5000, **options)


def test_a_server_that_is_not_known_is_spoken_to_without_tls(known) -> None:
    trust = Trust(to(), known)
    assert trust.expect(HERE) == (False, None)
    trust.note_certificate(HERE, None)
    assert trust.introduction() == ""
    assert known.find("192.168.1.10", 5000) is None


def test_the_first_contact_shows_the_words_and_keeps_the_certificate(known) -> None:
    trust = Trust(to(tls=True), known)
    assert trust.expect(HERE) == (True, None)
    trust.note_certificate(HERE, ONE)
    text = trust.introduction()
    assert ONE.words in text
    assert "first contact with 192.168.1.10, port 5000" in text
    assert str(known.path) in text
    assert trust.expect(HERE).pin == ONE.hex, "for the further connections of this run"


def test_from_then_on_it_is_tls_with_this_certificate_and_nothing_is_said(known) -> None:
    known.keep("192.168.1.10", 5000, ONE)
    trust = Trust(to(), known)
    assert trust.expect(HERE) == (True, ONE.hex)
    trust.note_certificate(HERE, ONE)
    assert trust.introduction() == ""


def test_only_who_says_so_goes_without_tls_and_the_certificate_stays_known(known) -> None:
    known.keep("192.168.1.10", 5000, ONE)
    assert not Trust(to(tls=False), known).uses_tls
    assert known.find("192.168.1.10", 5000) == ONE


def test_a_given_pin_counts_before_a_kept_one_and_takes_its_place(known) -> None:
    known.keep("192.168.1.10", 5000, ONE)
    trust = Trust(to(tls=True, pin=OTHER.words), known)
    assert trust.expect(HERE).pin == OTHER.words
    assert known.find("192.168.1.10", 5000) == ONE, "not before the server has shown it"
    trust.note_certificate(HERE, OTHER)
    assert known.find("192.168.1.10", 5000) == OTHER
    assert "expected certificate" in trust.introduction()


def test_a_certificate_that_cannot_be_kept_holds_for_this_run(tmp_path) -> None:
    (tmp_path / "file").write_text("")
    trust = Trust(to(tls=True), KnownServers(tmp_path / "file" / "known_servers"))
    assert "cannot be read" in trust.problem
    trust.note_certificate(HERE, ONE)
    assert trust.expect(HERE).pin == ONE.hex
    text = trust.introduction()
    assert "could not be kept: " in text
    assert "From now on" not in text
    (tmp_path / "file").unlink()
    trust.note_certificate(THERE, OTHER)
    assert "From now on" in trust.introduction(), "there is room again"


def test_who_goes_without_tls_reads_no_file_of_certificates(tmp_path) -> None:
    (tmp_path / "file").write_text("")
    trust = Trust(to(tls=False), KnownServers(tmp_path / "file" / "known_servers"))
    assert trust.problem == ""


def test_a_certificate_that_is_kept_is_not_said_to_be_lost_because_an_earlier_one_was(
    known, monkeypatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    trust = Trust(to(tls=True), known)
    with monkeypatch.context() as full:
        full.setattr(known, "keep", fail)
        trust.note_certificate(HERE, ONE)
        assert "could not be kept: No space left on device" in trust.introduction()
    trust.note_certificate(THERE, OTHER)
    text = trust.introduction()
    assert "could not be kept" not in text
    assert str(known.path) in text


def test_without_a_file_there_is_nothing_to_say_of_one() -> None:
    trust = Trust(to(tls=True))
    trust.note_certificate(HERE, ONE)
    text = trust.introduction()
    assert ONE.words in text
    assert "kept" not in text
    assert trust.introduction() == "", "it is said once"


# --- several servers of one chat -----------------------------------------------------------------


def test_a_server_that_the_chat_has_named_is_met_as_on_a_first_visit_but_over_tls(known) -> None:
    trust = Trust(to(tls=True), known)
    trust.note_certificate(HERE, ONE)
    trust.introduction()
    assert trust.expect(THERE) == (True, None)
    trust.note_certificate(THERE, OTHER)
    assert "first contact with 192.168.1.11, port 5000" in trust.introduction()
    assert (known.find(*HERE), known.find(*THERE)) == (ONE, OTHER)
    assert (trust.expect(HERE), trust.expect(THERE)) == ((True, ONE.hex), (True, OTHER.hex))


def test_who_has_come_in_over_tls_goes_nowhere_without_it(known) -> None:
    known.keep(*HERE, ONE)
    trust = Trust(to(), known)
    trust.note_certificate(HERE, ONE)
    assert trust.expect(THERE) == (True, None)


def test_who_has_come_in_without_tls_uses_it_where_it_is_known(known) -> None:
    known.keep(*THERE, OTHER)
    trust = Trust(to(), known)
    trust.note_certificate(HERE, None)
    assert (trust.expect(HERE), trust.expect(THERE)) == ((False, None), (True, OTHER.hex))
    assert Trust(to(tls=False), known).expect(THERE) == (False, None)


def test_one_known_server_among_those_given_is_enough_for_tls_with_all(known) -> None:
    known.keep(*THERE, OTHER)
    trust = Trust(to(others=(THERE,)), known)
    assert (trust.expect(HERE), trust.expect(THERE)) == ((True, None), (True, OTHER.hex))


def test_a_pin_is_for_all_servers_but_those_that_only_the_chat_has_named_and_are_known(
    known,
) -> None:
    known.keep(*THERE, OTHER)
    trust = Trust(to(tls=True, pin=ONE.words), known)
    unknown = Address("192.168.1.12", 5000)
    assert [trust.expect(each).pin for each in (HERE, THERE, unknown)] == [
        ONE.words, OTHER.hex, ONE.words,
    ]  # fmt: skip
    both = Trust(to(tls=True, pin=ONE.words, others=(THERE,)), known)
    assert both.expect(THERE).pin == ONE.words
