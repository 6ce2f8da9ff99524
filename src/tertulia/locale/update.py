"""Bring the catalogues up to date with the words in the source, and compile them.

Run it after changing a text for people: `.venv/bin/python src/tertulia/locale/update.py`. It names
the texts that have no translation yet, and fails if there are any. Needs Babel; the programs never
import it.
"""

import io
import sys
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

LOCALE_DIR = Path(__file__).parent
PACKAGE = LOCALE_DIR.parent
EXAMPLES = PACKAGE.parents[1] / "examples"
DOMAIN = "tertulia"
_TIME = datetime(2000, 1, 1, tzinfo=UTC)  # always the same, so that only words make a difference


def extract() -> Catalog:
    """Collect the texts for people from the source."""
    template = Catalog()
    for directory in (PACKAGE, EXAMPLES):
        for _file, _line, msgid, comments, context in extract_from_dir(directory):
            template.add(msgid, auto_comments=comments, context=context)
    return template


def merge(template: Catalog, translated: Catalog) -> Catalog:
    """Give each text of the template its translation, and forget all others."""
    merged = Catalog(
        locale=translated.locale,
        project=DOMAIN,
        last_translator="",
        language_team="",
        creation_date=_TIME,
        revision_date=_TIME,
        fuzzy=False,
    )
    for message in template:
        if message.id:
            known = translated.get(message.id, message.context)
            string = known.string if known is not None else ""
            merged.add(message.id, string=string, context=message.context)
    return merged


def update(po_path: Path) -> list[str]:
    """Rewrite one catalogue and its compiled form; return the texts without a translation."""
    with po_path.open("rb") as po_file:
        merged = merge(extract(), read_po(po_file, locale=po_path.parts[-3]))
    body = io.BytesIO()
    write_po(body, merged, sort_output=True, omit_header=True)
    header = (
        'msgid ""\nmsgstr ""\n'
        '"Content-Type: text/plain; charset=UTF-8\\n"\n'
        f'"Plural-Forms: {merged.plural_forms}\\n"\n\n'
    )
    po_path.write_bytes(header.encode() + body.getvalue())
    with po_path.with_suffix(".mo").open("wb") as mo_file:
        write_mo(mo_file, merged)
    return [str(message.id) for message in merged if message.id and not _is_translated(message)]


def _is_translated(message: Message) -> bool:
    strings = [message.string] if isinstance(message.string, str) else message.string
    return strings is not None and all(strings)


def main() -> int:
    """Update all catalogues; return 1 if a translation is missing."""
    missing = [
        (po_path, text)
        for po_path in sorted(LOCALE_DIR.glob(f"*/LC_MESSAGES/{DOMAIN}.po"))
        for text in update(po_path)
    ]
    for po_path, text in missing:
        print(f"{po_path}: no translation of {text!r}", file=sys.stderr)
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
