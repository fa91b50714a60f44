"""Closing an account whose alias is its own id: its number has gone to somebody else."""

from typing import Any

import msgspec

from safeum_home import ids
from safeum_home.protocol.commands import AccountBlock, SessionLogin
from tests.closing_case import PIN
from tests.number_case import DAY, NUMBER, NumberCase
from tests.world import LAPTOP, PASSWORD, Client


class MovedTests(NumberCase):
    def test_closed_by_its_id(self) -> None:
        old = self.enter()
        old.call("account.pin.set", password=PASSWORD, pin=PIN)
        old.drop()
        claim: dict[str, Any] = {"password": "the new holder's password", "claim": True}
        self.refused_submission("number_claimed", *self.sent(), **claim)
        self.world.clock.advance(8 * DAY)
        new = self.client()
        new.opened(new.call("verification.submit", **self.submitted(*self.sent(), **claim)))
        by_id = {"username": old.account, "password": PASSWORD, "device": LAPTOP}
        Client(self.world).call("session.login", **by_id)
        self.refused("wrong_pin", "account.block", username=NUMBER, pin=PIN)
        self.assertEqual(self.client().call("account.block", username=old.account, pin=PIN), {})
        self.refused("bad_credentials", "session.login", **by_id)
        new.call("device.list")

    def test_as_long_as_any_id(self) -> None:
        """What is taken at a login is taken here, whatever the name of the node."""
        account = ids.new_account_id(f"{'a' * 63}.{'b' * 63}.{'c' * 63}.{'d' * 55}")
        device = {"name": "x", "system": "y"}
        login = msgspec.convert({"username": account, "password": "x", "device": device}, SessionLogin)
        block = msgspec.convert({"username": account, "pin": PIN}, AccountBlock)
        self.assertEqual((login.username, block.username), (account, account))
