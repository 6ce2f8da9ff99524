"""The rows of the hooks: how one is found, what is kept of it, and what is left after its end."""

from tertulia.protocol.names import parse_name
from tertulia.server.hub.hooks import Hooks, hash_of
from tertulia.server.hub.records import Change, Hook, HookMessage, Removed

NOW = "2026-11-22T15:04:05.123Z"
BUILD = Hook(key=hash_of("secret"), name="Build", operator="ana", time=NOW)
BACKUP = Hook(key=hash_of("other"), name="backup", operator="ana", time=NOW)


def test_a_hook_is_found_by_its_secret_and_by_any_spelling_of_its_name():
    changes: list[Change] = []
    hooks = Hooks(changes)
    hooks.create(BUILD)
    assert hooks.find(hash_of("secret")) is BUILD
    assert hooks.find(hash_of("Secret")) is None
    assert hooks.named(parse_name("BUILD")) is BUILD
    assert hooks.named(parse_name("bild")) is None
    assert (len(hooks), list(hooks), changes) == (1, [BUILD], [BUILD])


def test_a_secret_that_is_no_text_has_a_hash_too():
    assert len(hash_of("\ud800")) == 64


def test_a_message_is_marked_and_shows_when_its_hook_was_used():
    changes: list[Change] = []
    hooks = Hooks(changes)
    hooks.create(BUILD)
    assert hooks.used(BUILD) is None
    hooks.note_message(BUILD, 7, NOW)
    assert hooks.used(BUILD) == NOW
    assert changes == [BUILD, HookMessage(key=7)]


def test_the_hooks_of_an_earlier_run_are_restored_without_a_change():
    changes: list[Change] = []
    hooks = Hooks(changes)
    hooks.restore(lambda kind: [BUILD, BACKUP] if kind is Hook else [])
    assert list(hooks) == [BUILD, BACKUP]
    assert (hooks.named(parse_name("build")), hooks.last_used, changes) == (BUILD, {}, [])


def test_the_hooks_of_another_node_come_with_their_last_use():
    used = {BUILD.key: NOW}
    hooks = Hooks([])
    hooks.resume([BUILD, BACKUP], used)
    assert [(hook.name, hooks.used(hook)) for hook in hooks] == [("Build", NOW), ("backup", None)]
    hooks.note_message(BACKUP, 7, NOW)
    assert used == {BUILD.key: NOW}, "a copy"


def test_a_row_whose_name_is_no_longer_allowed_still_has_a_name():
    hooks = Hooks([])
    odd = Hook(key="hash", name="no name", operator="ana", time=NOW)
    hooks.restore(lambda _kind: [odd])
    assert hooks.by_name == {"no name": odd}


def test_of_a_removed_hook_nothing_is_left():
    changes: list[Change] = []
    hooks = Hooks(changes)
    hooks.restore(lambda _kind: [BUILD, BACKUP])
    hooks.note_message(BUILD, 7, NOW)
    hooks.remove(BUILD)
    assert (list(hooks), hooks.by_name, hooks.last_used) == ([BACKUP], {"backup": BACKUP}, {})
    assert changes == [HookMessage(key=7), Removed(Hook, BUILD.key)]
    hooks.remove(BACKUP)
    assert (len(hooks), hooks.last_used) == (0, {})
