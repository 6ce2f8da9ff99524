"""What all tests share: a start from known ground, and the helpers in `support`."""

import gc
import itertools
import os
import signal
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

sys.path.insert(0, str(Path(__file__).parent / "support"))

pytest_plugins = ["client_fixtures", "nats_servers"]

# The settings of whoever runs the tests must not change what the programs do, the programs must not
# keep anything of the tests, and no test sees the settings of another one.
_home = tempfile.TemporaryDirectory(prefix="tertulia-tests-")
_config_homes = itertools.count()
os.environ["XDG_CONFIG_HOME"] = f"{_home.name}/config"
os.environ["XDG_STATE_HOME"] = f"{_home.name}/state"
# Nothing that the tests start announces itself or looks for servers beyond this computer.
os.environ["TERTULIA_MDNS"] = "off"

# A slow machine makes no test fail.
settings.register_profile("tests", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("tests")

# A shell starts what it puts into the background with these ignored, and every program that a test
# starts would inherit that.
for _number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP, signal.SIGTSTP):
    if signal.getsignal(_number) is signal.SIG_IGN:
        signal.signal(_number, signal.SIG_DFL)


def pytest_runtest_setup() -> None:
    """Give each test a configuration directory of its own, which does not exist yet."""
    os.environ["XDG_CONFIG_HOME"] = f"{_home.name}/config-{next(_config_homes)}"


def pytest_collection_finish() -> None:
    """Set the tests aside for the garbage collector, and have it look at more objects at a time.

    It takes a third of the time of a full screen otherwise, which makes and drops a great many.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out the tests that need a browser, unless they are asked for: `make test-web`."""
    is_asked_for = any("browser" in argument for argument in config.args)
    return True if collection_path.name == "browser" and not is_asked_for else None
