"""Whether the user looks at the screen."""

from tertulia.tui.presence import INPUT_COUNTS_S, Presence


def test_without_a_report_only_somebody_who_has_just_typed_is_here() -> None:
    presence = Presence(100.0)
    assert presence.is_here(100.0)
    assert not presence.is_here(100.0 + INPUT_COUNTS_S)
    presence.note_input(200.0)
    assert presence.is_here(204.0)
    assert not presence.is_here(200.0 + INPUT_COUNTS_S)


def test_a_terminal_that_reports_the_focus_is_believed() -> None:
    presence = Presence(0.0)
    presence.note_focus(True)
    assert presence.is_here(1_000.0)
    presence.note_input(1_000.0)
    presence.note_focus(False)
    assert not presence.is_here(1_000.0)


def test_a_key_after_a_loss_of_the_focus_counts_for_a_moment() -> None:
    presence = Presence(0.0)
    presence.note_focus(False)
    presence.note_input(100.0)
    assert presence.is_here(101.0)
    assert not presence.is_here(200.0)


def test_a_terminal_that_will_report_the_focus_has_it_at_the_start() -> None:
    presence = Presence(0.0)
    presence.expect_reports()
    assert presence.is_here(1_000.0)
    presence.note_focus(False)
    presence.expect_reports()  # once more, after the program was stopped
    assert not presence.is_here(1_001.0)
