"""Devices with a number that come back while they are shut out: looking for claims leaves no gap."""

from collections.abc import Callable

from tests.closing_case import PIN
from tests.number_case import NUMBER, NumberCase
from tests.world import PASSWORD, Client, Refused


class ComingBackTests(NumberCase):
    def setUp(self) -> None:
        super().setUp()
        self.mine, self.stolen = self.enter(), self.enter()
        self.stolen.drop()

    def shut_out(self, how: Callable[[], object]) -> None:
        """A token that is good when it is looked up, and no more when the claims have been."""
        database = self.world.database
        self.stolen.connect()
        database.hold_reads = True
        asked = self.stolen.ask("session.resume", token=self.stolen.token)
        database.answer_reads(1)
        self.assertEqual(database.held, 1)
        database.hold_reads = False
        how()
        database.answer_reads()
        self.assertEqual(self.assertRaises(Refused, self.stolen.answer, asked).code, "bad_token")

    def test_revoked(self) -> None:
        """By another device."""
        self.shut_out(lambda: self.mine.call("device.revoke", device=self.stolen.device))

    def test_password_changed(self) -> None:
        """Which logs all other devices out."""
        self.shut_out(lambda: self.mine.call("account.password", current=PASSWORD, new="another long one 77"))

    def test_account_closed(self) -> None:
        """With a PIN, by somebody else's phone."""
        self.mine.call("account.pin.set", password=PASSWORD, pin=PIN)
        stranger = Client(self.world, "198.51.100.1")
        self.shut_out(lambda: stranger.call("account.block", username=NUMBER, pin=PIN))

    def test_another_device_is_revoked(self) -> None:
        """What does not concern it is looked up again, and then it is let in."""
        third = self.enter()
        database = self.world.database
        self.stolen.connect()
        database.hold_reads = True
        asked = self.stolen.ask("session.resume", token=self.stolen.token)
        database.answer_reads(1)
        database.hold_reads = False
        self.mine.call("device.revoke", device=third.device)
        database.answer_reads()
        self.assertEqual((self.stolen.answer(asked) or {})["account"], self.mine.account)
