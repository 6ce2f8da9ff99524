"""Allows these tests to import the modules of this folder and those of the wire tests."""

import sys
from pathlib import Path

HERE = Path(__file__).parent
for folder in (HERE, HERE.parent / "system"):
    sys.path.insert(0, str(folder))
