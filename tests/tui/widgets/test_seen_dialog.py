"""The dialog about who has seen a message, as it is shown and updated."""

from plain_table import Clock
from table import ChatTable

from tertulia.protocol.attendance import SeenBy
from tertulia.tui.widgets.seen_dialog import SeenDialog


def test_the_message_stands_in_one_harmless_line_above_the_names(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        answer = SeenBy(seq=3, seen=["luis"], not_seen=["eva"], unknown=[])
        dialog = SeenDialog(f"ana: one\n two\x1b {'x' * 300}", answer, lambda: None)
        table.app.push_screen(dialog)
        await table.settle()
        about = str(dialog.query_one("#about-message").render())
        assert about == "ana: one two␛ " + "x" * 185 + "…"
        assert "Seen (1): luis" in table.shown
        assert "Not seen yet (1): eva" in table.shown
        dialog.show(SeenBy(seq=3, seen=["eva", "luis"], not_seen=[], unknown=[]))
        await table.settle()
        assert "Seen (2): eva, luis" in table.shown
        assert "Not seen yet" not in table.shown

    ChatTable(clock).run(scenario)


def test_the_hint_says_so_while_there_is_no_connection(clock: Clock) -> None:
    async def scenario(table: ChatTable) -> None:
        answer = SeenBy(seq=3, seen=[], not_seen=[], unknown=[])
        dialog = SeenDialog("ana: hello", answer, lambda: None)
        table.app.push_screen(dialog)
        await table.settle()
        for connected, hint in ((False, "no connection · Esc: back"), (True, "Esc: back")):
            dialog.show_connection(connected=connected)
            assert str(dialog.query_one("#dialog-hint").render()) == hint

    ChatTable(clock).run(scenario)
