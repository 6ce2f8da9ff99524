"""Carries out operators' requests about hooks. The Moderator calls this, under its lock."""

import secrets
from collections.abc import Callable
from typing import NamedTuple

from msgspec import UNSET

from tertulia.protocol.hooks import (
    HOOK_PATH,
    CreateHook,
    HookCreated,
    HookList,
    HookRow,
    ListHooks,
    RemoveHook,
)
from tertulia.protocol.messages import Error, Ok
from tertulia.protocol.names import parse_name
from tertulia.server import refusals
from tertulia.server.hub.activity import Activity
from tertulia.server.hub.hooks import hash_of
from tertulia.server.hub.records import Hook
from tertulia.server.hub.room import Room
from tertulia.server.hub.session import Owner, Session
from tertulia.server.hub.storing import Storing
from tertulia.server.hub.wait import Wait

_MAX_HOOKS = 1_000  # at the bound, no more can be made


class HookSecret(NamedTuple):
    """The secret of a hook, and its hash, by which the hook is known."""

    text: str  # on several machines, "" on all nodes but that of the operator who made the hook
    hash: str


def new_secret() -> HookSecret:
    """Return a secret that nobody knows yet."""
    secret = secrets.token_urlsafe(24)
    return HookSecret(secret, hash_of(secret))


class HookVerbs:
    """Makes, lists and removes hooks."""

    def __init__(
        self,
        room: Room,
        storing: Storing,
        time: Callable[[], str],
        activity: Activity,
    ) -> None:
        self._room = room
        self._storing = storing
        self._time = time
        self._note_activity = activity.note

    def create(
        self, session: Session, request: CreateHook, owner: Owner, secret: HookSecret
    ) -> Ok | HookCreated | Wait | Error | None:
        """Make a hook with a name that no user and no hook has."""
        name, room = parse_name(request.name), self._room
        if name is None:
            return refusals.name_invalid(request)
        user = room.registry.with_key(name.key)
        if user is not None:
            return refusals.name_of_user(request, user.name.shown)
        if room.hooks.named(name) is not None:
            return refusals.name_of_hook(request, name.shown)
        if room.is_held(name):
            return refusals.name_kept(request.id)
        if len(room.hooks) >= _MAX_HOOKS:
            return refusals.too_many_hooks(request, _MAX_HOOKS)
        if not self._storing.reserve_space():
            return Wait.FOR_SPACE
        self._note_activity(session)
        self._room.hooks.create(
            Hook(
                key=secret.hash,
                name=name.shown,
                operator=session.name.shown,
                time=self._time(),
            )
        )
        created = HookCreated(
            id=request.id, name=name.shown, secret=secret.text, path=f"{HOOK_PATH}{secret.text}"
        )
        return self._storing.store_request(session, request, owner, created)

    def remove(
        self, session: Session, request: RemoveHook, owner: Owner
    ) -> Ok | HookCreated | Wait | Error | None:
        """Remove the hook with a name."""
        name = parse_name(request.name)
        hook = None if name is None else self._room.hooks.named(name)
        if hook is None:
            return refusals.no_hook(request)
        if not self._storing.reserve_space():
            return Wait.FOR_SPACE
        self._note_activity(session)
        self._room.hooks.remove(hook)
        return self._storing.store_request(session, request, owner)

    def list(self, session: Session, request: ListHooks) -> HookList:
        """List the hooks, without their secrets: only hashes of these are kept."""
        self._note_activity(session)
        hooks = self._room.hooks
        rows = [
            HookRow(
                name=hook.name, by=hook.operator, time=hook.time, used=hooks.used(hook) or UNSET
            )
            for hook in hooks
        ]
        return HookList(id=request.id, hooks=rows)
