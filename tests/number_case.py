"""People with mobile numbers, in a node in memory whose text messages are kept."""

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.world import HOST, LAPTOP, PASSWORD, Client, Refused, World

NUMBER = "+491711234567"
OTHER_NUMBER = "+12025550123"
DAY = 86400.0


class NumberCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.world = World()

    def client(self, host: str = HOST) -> Client:
        return Client(self.world, host)

    def create(self, number: str = NUMBER, host: str = HOST) -> str:
        """A verification that was begun; its id."""
        return str(self.client(host).call("verification.create", number=number)["verification"])

    def sent(self, number: str = NUMBER, host: str = HOST) -> tuple[str, str]:
        """A verification whose code was sent: its id and the code."""
        verification = self.create(number, host)
        self.client(host).call("verification.request", verification=verification)
        return verification, self.world.texts.code

    def submitted(
        self, verification: str, code: str, password: str = PASSWORD, **more: Any
    ) -> dict[str, Any]:
        """The parameters of a submission."""
        about = {"verification": verification, "code": code, "password": password, "device": LAPTOP}
        return about | more

    def enter(self, number: str = NUMBER, password: str = PASSWORD, host: str = HOST, **more: Any) -> Client:
        """Somebody who proves a number, and is in."""
        client = self.client(host)
        params = self.submitted(*self.sent(number, host), password, **more)
        return client.opened(client.call("verification.submit", **params))

    def refused(self, expected: str, method: str, host: str = HOST, /, **params: Any) -> dict[str, Any]:
        """The problem that a fresh connection is refused with."""
        error = self.assertRaises(Refused, self.client(host).call, method, **params)
        self.assertEqual(error.code, expected)
        return {**error.error["data"]}

    def refused_submission(
        self, expected: str, verification: str, digits: str, **more: Any
    ) -> dict[str, Any]:
        return self.refused(expected, "verification.submit", **self.submitted(verification, digits, **more))


def wrong(code: str) -> str:
    """Another code."""
    return f"{(int(code) + 1) % 1_000_000:06}"
