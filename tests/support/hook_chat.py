"""A chat with a console, which makes hooks, and programs that post to them."""

from hub_chat import Chat, Keeper

from tertulia.protocol.hooks import CreateHook
from tertulia.server.hub.session import Route


class HookChat(Chat):
    """A chat with a console on its machine."""

    def __init__(self, keeper: Keeper | None = None, **options) -> None:
        super().__init__(keeper, **options)
        self.console = self.hub.moderator.open_console(Route("", 99))

    def ask(self, request, session=None):
        """Carry out an operator's request, and return the answer."""
        outcome = self.hub.moderator.carry_out(session or self.console, request, self.owner)
        return getattr(outcome, "answer", outcome)

    def create_hook(self, name: str = "build") -> str:
        """Make a hook, and return its secret."""
        created = self.ask(CreateHook(id=3, name=name))
        return (created if self.keeper is None else self.keeper.kept[-1][1].answer).secret

    def post(self, secret: str, text: str = "build ok"):
        """Let a program post something."""
        return self.hub.notices.say(secret, text, self.owner)
