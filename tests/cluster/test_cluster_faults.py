"""Real nodes with real nats-servers while something breaks: nothing is lost or doubled."""

import pytest
from namespaces import namespace
from nats_servers import nats_servers
from scenarios import LONG, NAMESPACES, QUICK, cut_off
from scene import scene


def by_name(scenario):
    """Return how a scenario is called among the tests."""
    return scenario.__name__


def run(scenario, tmp_path, nats, chat):
    """Run a scenario with three nodes; nothing that was promised may be broken."""
    with scene(tmp_path, nats, chat) as cluster:
        figures = scenario(cluster)
        assert cluster.check() == [], figures


@pytest.mark.soak
def test_a_node_that_is_cut_off_from_nats_alone_loses_its_users_to_the_others(tmp_path, chat):
    with (
        namespace() as own,
        nats_servers(tmp_path, 3, host=own.nats) as nats,
        scene(tmp_path, nats, chat, within=own) as cluster,
    ):
        cut_off(cluster)
        assert cluster.check() == []


@pytest.mark.parametrize("scenario", QUICK, ids=by_name)
def test_nothing_is_lost(scenario, tmp_path, three_nats, chat):
    run(scenario, tmp_path, three_nats, chat)


@pytest.mark.soak
@pytest.mark.parametrize("scenario", [s for s in LONG if s not in NAMESPACES], ids=by_name)
def test_nothing_is_lost_in_the_long_ones(scenario, tmp_path, three_nats, chat):
    run(scenario, tmp_path, three_nats, chat)
