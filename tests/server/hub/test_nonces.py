"""Recent nonces: how long each is known, and the bound."""

from datetime import UTC, datetime

from tertulia.server.hub.nonces import RecentNonces, recall


def test_a_nonce_is_known_for_its_time():
    nonces = RecentNonces(keep_s=600, max_entries=10)
    nonces.remember(("ana", "n1"), 7, now=0.0)
    assert nonces.get(("ana", "n1"), now=600.0) == 7
    assert nonces.get(("luis", "n1"), now=600.0) is None
    assert nonces.get(("ana", "n1"), now=600.1) is None
    assert len(nonces) == 0


def test_only_nonces_whose_time_is_over_expire():
    nonces = RecentNonces(keep_s=600, max_entries=10)
    for seq in (1, 2, 3):
        nonces.remember(seq, seq, now=100.0 * seq)
    assert [nonces.get(seq, now=750.0) for seq in (1, 2, 3)] == [None, 2, 3]
    assert len(nonces) == 2


def test_at_the_bound_the_oldest_nonce_is_forgotten():
    nonces = RecentNonces(keep_s=600, max_entries=2)
    for seq in (1, 2, 3):
        nonces.remember(seq, seq, now=0.0)
    assert [nonces.get(seq, now=0.0) for seq in (1, 2, 3)] == [None, 2, 3]


def test_a_nonce_that_is_remembered_again_takes_no_second_place():
    nonces = RecentNonces(keep_s=600, max_entries=2)
    for seq in (1, 2):
        nonces.remember("n", seq, now=0.0)
    nonces.remember("m", 3, now=0.0)
    assert (nonces.get("n", now=0.0), nonces.get("m", now=0.0)) == (2, 3)


def test_a_nonce_can_be_forgotten_and_forgetting_an_unknown_one_is_no_fault():
    nonces = RecentNonces(keep_s=600, max_entries=10)
    nonces.remember("n", 1, now=0.0)
    nonces.forget("n")
    nonces.forget("n")
    assert nonces.get("n", now=0.0) is None


def test_messages_of_the_history_are_recalled_with_the_age_that_they_have():
    nonces = RecentNonces(keep_s=600, max_entries=10)
    said = [
        (1, "2026-11-22T14:54:59.000Z", "Ana", "too old"),
        (2, "2026-11-22T14:55:01.000Z", "Ana", "just in time"),
        (3, "2026-11-22T15:04:59.000Z", "luis", "new"),
        (4, "2026-11-22T16:00:00.000Z", "luis", "from the future"),
        (5, "2026-11-22T15:05:00.000Z", " ", "of nobody"),
    ]
    recall(nonces, said, datetime(2026, 11, 22, 15, 5, tzinfo=UTC), now=1_000.0)
    assert nonces.get(("ana", "too old"), now=1_000.0) is None
    assert nonces.get(("ana", "just in time"), now=1_000.0) == 2
    assert nonces.get(("ana", "just in time"), now=1_002.0) is None
    assert nonces.get(("luis", "new"), now=1_598.0) == 3
    assert nonces.get(("luis", "from the future"), now=1_600.0) == 4
    assert len(nonces) == 1
    assert nonces.get(("luis", "from the future"), now=1_600.1) is None
