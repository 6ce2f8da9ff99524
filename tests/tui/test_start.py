"""The order in which the screen is started."""

import subprocess
import sys


def test_textual_is_not_imported_before_the_connection_has_begun() -> None:
    code = "import sys, tertulia.tui.start; sys.exit('textual' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
