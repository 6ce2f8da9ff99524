"""Show what tertulia does in a minute: a server and several users, all on this machine.

Each user has an address of its own. In a terminal, the demo then lets you join the chat. Elsewhere
it only prints the conversation.

    .venv/bin/python examples/demo.py [--lang es|en]
"""

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from tertulia import (
    ChatMessage,
    Client,
    ConnectionLost,
    Direct,
    DirectMessage,
    Joined,
    Left,
    Presence,
    RegistrationRefused,
    RequestRefused,
    Status,
)
from tertulia.chat.destination import Destination
from tertulia.chat.explain import registration_refused, request_refused
from tertulia.i18n import _, language_option, set_language

WAIT_S = 15.0
MARKS = {Status.ACTIVO: "●", Status.OCUPADO: "◐", Status.INACTIVO: "○"}


def main() -> int:
    """Show a server and its users, then let the person at the terminal join."""
    lang = language_option(sys.argv[1:])
    set_language(lang)
    with server("--idle-after", "2") as port:
        show(port)
    if sys.stdin.isatty() and sys.stdout.isatty():
        print()
        with suppress(EOFError):
            input(
                _(
                    "Press Enter to join a chat with ana, luis and eva. Try /help, @luis and "
                    "/quit there."
                )
            )
        with server() as port:
            invite(port, lang)
    return 0


@contextmanager
def server(*options: str) -> Iterator[int]:
    """Run a server on a free port that only this machine can reach, and yield the port."""
    title(_("A server starts: tertulia-server PORT"))
    command = [sys.executable, "-m", "tertulia.server.cli", "0", "--host", "127.0.0.1"]
    process = subprocess.Popen(
        [*command, *options], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        print(f"    {line}", end="", flush=True)
        yield int(line.split()[-1])
        title(_("The server stops"))
    finally:
        process.terminate()
        process.wait(10)
        process.stdout.close()


def show(port: int) -> None:
    """Play one scene for each thing that the chat can do."""
    title(_("Three users register, each from an address of their own"))
    ana, luis, eva = join_three(port)

    title(_("Each name and each address belongs to only one user"))
    for name, source in (("Ana", "127.0.0.5"), ("paz", "127.0.0.2")):
        try:
            join(port, name, source)
        except RegistrationRefused as refused:
            to = Destination(name, "127.0.0.1", port, source)
            print(f"    {name:<5} {source}  ✗ {registration_refused(refused.error, to)}")

    title(_("The general chat: everyone sees everything, in the same order"))
    ana.say(_("good morning, shall we begin?"))
    luis.say(_("I am ready ☕"))
    for user in (ana, luis, eva):
        see(user, ChatMessage, sender="ana")
        see(user, ChatMessage, sender="luis")

    title(_("A direct message: nobody else sees it"))
    ana.direct("luis", _("do you have the keys?"))
    see(luis, DirectMessage)
    luis.direct("ana", _("yes, at the entrance"))
    see(ana, DirectMessage)

    title(_("A status: the user asks for it, the server sets it, and everyone is told"))
    luis.set_status(Status.OCUPADO)
    for user in (ana, luis, eva):
        see(user, Presence, name="luis")
    ana.direct("luis", _("you can get messages whatever your status is"))
    see(luis, DirectMessage)

    title(
        _(
            "A user who does nothing becomes INACTIVO, and gets the status back with the "
            "next message"
        )
    )
    see(ana, Presence, name="luis", status=Status.INACTIVO)
    luis.say(_("here I am again"))
    see(ana, Presence, name="luis", status=Status.OCUPADO)

    title(_("The list of users, and what the server knows about one of them"))
    for row in ana.users().users:
        print(f"    {MARKS[row.status]} {row.status:<9} {row.name}")
    info = ana.info("luis")
    print(f"    {info.name}: {info.address}, {info.status}, {info.since}")

    title(_("A user who leaves disappears from the list at once, and the name is free"))
    eva.close()
    see(ana, Left, name="eva")
    to_eva = Direct(to="eva", text=_("are you there?"))
    try:
        ana.direct(to_eva.to, to_eva.text)
    except RequestRefused as refused:
        print(f"    ana → eva  ✗ {request_refused(refused.error, to_eva)}")
    eva = join(port, "eva", "127.0.0.9")
    see(ana, Joined, name="eva")
    for user in (ana, luis, eva):
        user.close()


def invite(port: int, lang: str | None) -> None:
    """Run the client for the person, together with users who answer direct messages."""
    users = join_three(port)
    for user in users:
        threading.Thread(target=answer, args=(user,), daemon=True).start()
    command = [sys.executable, "-m", "tertulia.cli", _("you"), "127.0.0.1", str(port)]
    subprocess.run([*command, *(["--lang", lang] if lang else [])], check=False)
    for user in users:
        user.close()


def answer(user: Client) -> None:
    """Answer every direct message."""
    for event in user.events():
        if isinstance(event, DirectMessage):
            try:
                user.direct(event.sender, _("you wrote: {text}").format(text=event.text))
            except (RequestRefused, ConnectionLost) as error:
                print(error, file=sys.stderr)


def join_three(port: int) -> list[Client]:
    """Register ana, luis and eva."""
    return [
        join(port, name, f"127.0.0.{number}")
        for number, name in enumerate(("ana", "luis", "eva"), 2)
    ]


def join(port: int, name: str, source: str) -> Client:
    """Register a user and print a line about it."""
    client = Client.connect("127.0.0.1", port, name, source=source)
    print(f"    {name:<5} {source}  ✓ {client.welcome.status}", flush=True)
    return client


def see(client: Client, kind: type, **fields: str) -> None:
    """Wait until a user gets an event of this type with these fields, and print it."""
    me = client.welcome.name
    while True:
        incoming = client.receive(WAIT_S)
        if incoming is None:
            raise TimeoutError(f"{me} did not get {kind.__name__} {fields} in time")
        event = incoming.message
        if isinstance(event, kind) and all(getattr(event, f) == v for f, v in fields.items()):
            break
    match event:
        case ChatMessage():
            text = f"{event.sender}: {event.text}"
        case DirectMessage():
            text = f"{event.sender} → {event.to}: {event.text}"
        case Presence():
            by = "" if event.by == "user" else "  (" + _("by the server") + ")"
            text = f"{MARKS[event.status]} {event.name} {event.status}{by}"
        case Joined():
            text = f"+ {event.name}"
        case _:
            text = f"- {getattr(event, 'name', '')}"
    print(f"    [{me}] {text}", flush=True)


def title(text: str) -> None:
    """Print the title of the next scene."""
    print(f"\n── {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
