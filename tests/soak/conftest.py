"""Lets the tests of the checker import what `soak.py`, a program, imports from beside itself."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
