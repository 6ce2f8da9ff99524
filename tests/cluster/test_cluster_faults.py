"""Real nodes with real nats-servers while something breaks: nothing is lost or doubled."""

import pytest
from scenarios import LONG, QUICK
from scene import scene


def by_name(scenario):
    """Return how a scenario is called among the tests."""
    return scenario.__name__


def run(scenario, tmp_path, nats, chat):
    """Run a scenario with three nodes; nothing that was promised may be broken."""
    with scene(tmp_path, nats, chat) as cluster:
        figures = scenario(cluster)
        assert cluster.check() == [], figures


@pytest.mark.parametrize("scenario", QUICK, ids=by_name)
def test_nothing_is_lost(scenario, tmp_path, three_nats, chat):
    run(scenario, tmp_path, three_nats, chat)


@pytest.mark.long
@pytest.mark.parametrize("scenario", LONG, ids=by_name)
def test_nothing_is_lost_in_the_long_ones(scenario, tmp_path, three_nats, chat):
    run(scenario, tmp_path, three_nats, chat)
