"""Numbers fit into a few cells, and say what they are."""

import pytest

from tertulia.watch import numbers


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        *((None, "?"), (0.0, "0"), (0.04, "0"), (0.5, "0.5"), (9.94, "9.9"), (9.96, "10")),
        *((3.0, "3"), (9_999.4, "9999"), (9_999.6, "10.0k"), (99_960.0, "100k")),
        *((999_600.0, "1.0M"), (123_456_789.0, "123M"), (5e9, "5G")),
    ],
)
def test_a_rate_takes_five_cells(value, shown):
    assert numbers.rate(value) == shown
    assert len(shown) <= 5


@pytest.mark.parametrize(
    ("value", "shown"),
    [(None, "?"), (0.0, "0.0 %"), (0.3821, "38.2 %"), (1.0, "100 %"), (1.987, "199 %")],
)
def test_a_share_is_in_per_cent_of_one_processor(value, shown):
    assert numbers.share(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        *((None, "?"), (0, "0 B"), (999, "999 B"), (1_000, "1.0 kB"), (8_388_608, "8.4 MB")),
        *((999_600, "1.0 MB"), (123_000_000, "123 MB"), (5e15, "5000 TB")),
    ],
)
def test_a_size_has_a_unit(value, shown):
    assert numbers.size(value) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(None, "?"), (59.9, "0:59"), (3_600, "1:00:00"), (90_061, "1 d 1:01:01")],
)
def test_a_span_is_as_on_a_clock(seconds, shown):
    assert numbers.span(seconds) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(None, "?"), (-0.1, "0.0 s"), (0.31, "0.3 s"), (9.96, "10 s"), (119, "119 s"), (120, "2:00")],
)
def test_an_age_is_exact_while_it_is_young(seconds, shown):
    assert numbers.age(seconds) == shown
