"""What the owners of receipts are told about their messages."""

from msgspec import UNSET

from tertulia.server.history.mail import Stored, post_stored
from tertulia.server.hub.session import Receipt


class Owner:
    """A worker's stand-in, which keeps the mail that it gets."""

    def __init__(self) -> None:
        self.mail: list[object] = []

    def post(self, mail: object) -> bool:
        self.mail.append(mail)
        return True


def test_each_owner_gets_one_letter_about_its_receipts_in_their_order() -> None:
    ana, luis = Owner(), Owner()
    first, second, third = (
        Receipt(owner, session, UNSET, seq)
        for owner, session, seq in ((ana, 17, 1), (luis, 18, 2), (ana, 16, 3))
    )
    post_stored([first, second, third], are_stored=True)
    assert ana.mail == [Stored([(first, True), (third, True)])]
    assert luis.mail == [Stored([(second, True)])]


def test_an_owner_learns_that_its_message_could_not_be_stored() -> None:
    ana = Owner()
    receipt = Receipt(ana, 17, 5, 1)
    post_stored([receipt], are_stored=False)
    assert ana.mail == [Stored([(receipt, False)])]
