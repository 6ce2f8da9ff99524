"""The dialogs about hooks: what they show, and what an answer means."""

import pytest

from tertulia.protocol.hooks import HookRow
from tertulia.tui.widgets.dialogs import ChoiceDialog
from tertulia.tui.widgets.hook_dialogs import HookDialog, hooks_dialog

pytestmark = pytest.mark.usefixtures("clock")


def offered(dialog: ChoiceDialog) -> list[tuple[str, str]]:
    return [(row.key, "".join(text for text, _style in row.runs)) for row in dialog._rows]


def test_a_row_of_the_list_stands_for_the_hook_in_its_place() -> None:
    made = "2026-11-22T14:00:00Z"
    dialog = hooks_dialog([HookRow(name=name, by="eva", time=made) for name in ("build", "night")])
    assert offered(dialog) == [
        ("0", "build  by eva  since 2026-11-22 14:00"),
        ("1", "night  by eva  since 2026-11-22 14:00"),
    ]
    assert dialog._text == "Enter removes the address of the one that you choose."
    assert dialog.has_class("wide-rows")


def test_a_list_without_hooks_can_only_be_closed() -> None:
    dialog = hooks_dialog([])
    assert offered(dialog) == [("close", "Close")]
    assert dialog._text == "There are no secret addresses for programs."
    assert not dialog.has_class("wide-rows")


def test_the_command_is_copied_without_the_blanks_around_it() -> None:
    dialog = HookDialog(["before", "  curl http://h/hook/abc", "after"])
    assert dialog.text_to_copy() == "curl http://h/hook/abc"
