"""What a log asks of whoever paints its entries."""

from typing import Protocol, TypeVar

from tertulia.tui.painting.styled_text import Run

Entry_contra = TypeVar("Entry_contra", contravariant=True)


class EntryPainter(Protocol[Entry_contra]):
    """Makes the lines of an entry."""

    def height(self, entry: Entry_contra, width: int) -> int:
        """Return the number of lines; called for every entry, so it has to be fast."""

    def paint(self, entry: Entry_contra, width: int) -> list[list[Run]]:
        """Return `height` lines, none of them wider than `width` cells."""
