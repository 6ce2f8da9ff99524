"""The programs that docs/library.md shows, as files."""

import re
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "library.md"


def programs_of_the_page(folder: Path) -> list[str]:
    """Write each program of the page into a folder; return their names, which their texts say."""
    names = []
    for program in re.findall(
        r"^```python\n(.*?)^```$", PAGE.read_text(), re.DOTALL | re.MULTILINE
    ):
        [name] = re.findall(r": (\w+\.py) HOST PORT", program)
        (folder / name).write_text(program)
        names.append(name)
    return names
