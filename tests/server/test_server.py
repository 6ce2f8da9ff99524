"""The composition of a server: how many connections fit into the limit of open files."""

import errno

import msgspec
import pytest

from tertulia.server import server
from tertulia.server.config import Config
from tertulia.server.server import fit_to

CONFIG = Config(port=0)


@pytest.mark.parametrize("threads", [1, 8, None])
@pytest.mark.parametrize("descriptors", [16, 40, 64, 128, 1_024, 4_096, 1_048_576])
def test_all_connections_that_are_allowed_fit(descriptors, threads):
    config = msgspec.structs.replace(CONFIG, threads=threads)
    fitting = fit_to(descriptors, config)
    each = 3 if threads is None else 1
    used = 32 + 2 * (threads or 0) + (fitting.max_users + fitting.max_unregistered) * each
    assert used <= max(descriptors, 32 + 2 * (threads or 0))
    assert 0 <= fitting.max_users <= config.max_users
    assert 0 <= fitting.max_unregistered <= config.max_unregistered


def test_with_enough_descriptors_nothing_changes():
    assert fit_to(2_048, CONFIG) == CONFIG


@pytest.mark.parametrize(("descriptors", "users"), [(128, 71), (1_024, 743)])
def test_three_quarters_are_for_users(descriptors, users):
    assert fit_to(descriptors, CONFIG).max_users == users


def test_a_server_that_has_no_room_for_anybody_does_not_start(monkeypatch):
    monkeypatch.setattr(server.resource, "getrlimit", lambda _: (34, 34))
    with pytest.raises(OSError, match="open files") as raised:
        server.fit_to_descriptors(CONFIG)
    assert raised.value.errno == errno.EMFILE
