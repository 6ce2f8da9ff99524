"""The exceptions of the library: what they say, and how long to wait after some of them."""

import pytest
from msgspec import UNSET

from tertulia.client.errors import (
    MAX_RETRY_AFTER_S,
    RETRY_AFTER_S,
    ConnectFailure,
    NoConnection,
    RequestRefused,
    wait_before_retry,
)
from tertulia.protocol.messages import Error


@pytest.mark.parametrize(
    ("asked_s", "wait_s"),
    [(0.25, 0.25), (None, RETRY_AFTER_S), (1e300, MAX_RETRY_AFTER_S), (-5.0, 0.0)],
)
def test_the_server_decides_how_long_to_wait_within_bounds(
    asked_s: float | None, wait_s: float
) -> None:
    retry_after = UNSET if asked_s is None else asked_s
    error = Error(code="rate_limited", message="slow down", retry_after=retry_after)
    assert wait_before_retry(error) == wait_s


def test_a_refusal_has_what_the_error_has_and_none_for_what_it_lacks() -> None:
    full = RequestRefused(Error(code="c", message="m", name="eva", retry_after=2.0))
    assert (full.code, full.name, full.retry_after, str(full)) == ("c", "eva", 2.0, "c: m")
    bare = RequestRefused(Error(code="c", message="m"))
    assert (bare.name, bare.retry_after) == (None, None)


def test_a_failure_to_connect_says_its_cause_and_its_detail_if_there_is_one() -> None:
    assert str(NoConnection(ConnectFailure.REFUSED)) == "refused"
    assert str(NoConnection(ConnectFailure.REFUSED, "errno 111")) == "refused: errno 111"
