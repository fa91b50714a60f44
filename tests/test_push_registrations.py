"""Where devices are woken: what their clients may say, what is kept of it, and when it is forgotten."""

import re
from typing import Any

from safeum_home.ids import AccountId, DeviceId
from safeum_home.ports.push import PushAddress
from safeum_home.protocol.signing import encode_octets
from safeum_home.spawn import spawn
from tests.push_case import REFUSED_TOKEN, PushCase
from tests.world import PASSWORD, Client, Refused, World

KEYS = {"p256dh": encode_octets(b"\4" + bytes(range(64))), "auth": encode_octets(bytes(range(16)))}
TOKEN = "0fce73a4a5d6f0e8c1"


class RegistrationCase(PushCase):
    def refused(self, code: str, client: Client, **params: Any) -> None:
        self.assertEqual(self.assertRaises(Refused, client.call, "push.set", **params).code, code)

    def provider(self, client: Client) -> Any:
        return client.call("push.get")["provider"]

    def rows(self) -> int:
        return self.world.database.count("pushes")

    def wakeable(self, client: Client) -> bool:
        answered: list[bool] = []

        async def ask() -> None:
            account, device = AccountId(client.account), DeviceId(client.device)
            answered.append(await self.world.services.wakeable(account, device))

        self.successResultOf(spawn(ask(), "asking"))
        return answered[0]


class CommandTests(RegistrationCase):
    def test_providers(self) -> None:
        """Clients learn what they have to subscribe with."""
        self.assertEqual(
            self.alice.call("push.providers")["providers"],
            [
                {"name": "apple", "kind": "apns", "application_key": None},
                {"name": "web", "kind": "webpush", "application_key": "BKey"},
            ],
        )

    def test_none(self) -> None:
        """A node without a provider says so, and takes nothing."""
        client = World().register("carol")
        self.assertEqual(client.call("push.providers"), {"providers": []})
        self.refused("push_unavailable", client, provider="apple", token=TOKEN)

    def test_set(self) -> None:
        """A device that has said where is woken there; the others are not. Nobody is told the token."""
        self.assertEqual((self.provider(self.alice), self.wakeable(self.alice)), (None, False))
        self.assertEqual(self.bob.call("push.get"), {"provider": "apple"})
        self.assertTrue(self.wakeable(self.bob))
        self.assertIsNone(self.provider(self.world.login("bob")))

    def test_replaced(self) -> None:
        """A device is woken in one place."""
        self.bob.call("push.set", provider="web", token="https://push.example/1", keys=KEYS)
        self.assertEqual((self.provider(self.bob), self.rows()), ("web", 1))

    def test_remove(self) -> None:
        """A device is not woken any more, also where it never was."""
        for client in (self.bob, self.bob, self.alice):
            self.assertEqual(client.call("push.remove"), {})
            self.assertIsNone(self.provider(client))
        self.assertEqual(self.rows(), 0)

    def test_refused(self) -> None:
        """What no provider can be given is refused, and what was there before stays."""
        self.refused("push_unavailable", self.bob, provider="banana", token=TOKEN)
        self.refused("push_address_refused", self.bob, provider="apple", token=REFUSED_TOKEN)
        for auth in ("B" * 22, "A" * 21 + "-"):  # bits that no octet has
            keys = {**KEYS, "auth": auth}
            self.refused("push_address_refused", self.bob, provider="web", token="https://x", keys=keys)
        self.assertEqual(self.provider(self.bob), "apple")

    def test_bounds(self) -> None:
        """Parameters have a form and a length."""
        for params in (
            {"token": ""},
            {"token": "a" * 2049},
            {"token": "a b"},
            {"token": "a\n"},
            {"token": "tøken"},
            {"token": TOKEN, "call_token": "a\x7f"},
            {"token": TOKEN, "keys": {"p256dh": KEYS["p256dh"]}},
            {"token": TOKEN, "keys": {**KEYS, "auth": KEYS["auth"] + "="}},
            {"token": TOKEN, "keys": {**KEYS, "p256dh": KEYS["p256dh"][1:]}},
            {"token": TOKEN, "more": 1},
        ):
            self.refused("invalid_params", self.bob, provider="apple", **params)
        self.can_be_woken(self.bob, "!" * 2047 + "~", call_token="c" * 2048)

    def test_provider_gone(self) -> None:
        """A provider that the operator has taken away wakes nobody."""
        del self.pushes.offered[0]
        self.assertEqual((self.provider(self.bob), self.wakeable(self.bob)), (None, False))

    def test_trouble(self) -> None:
        """Nor one that is in trouble: its devices stay awake meanwhile, and need not register once more."""
        self.pushes.troubled.add("apple")
        self.assertEqual((self.provider(self.bob), self.wakeable(self.bob)), ("apple", False))
        self.pushes.troubled.clear()
        self.assertTrue(self.wakeable(self.bob))


class OneDeviceTests(RegistrationCase):
    """A token is one device's."""

    def test_somebody_else(self) -> None:
        """Who logs in as somebody else on the same phone ends that the account before wakes it."""
        self.can_be_woken(self.alice, "bob's")
        self.assertEqual((self.provider(self.alice), self.provider(self.bob)), ("apple", None))

    def test_call_token(self) -> None:
        """The same where it is the token for calls alone that is the same, in either place."""
        for mine, theirs in (
            ({"token": "1", "call_token": "call"}, {"token": "2", "call_token": "call"}),
            ({"token": "1", "call_token": "call"}, {"token": "call"}),
            ({"token": "call"}, {"token": "2", "call_token": "call"}),
        ):
            self.can_be_woken(self.bob, **mine)
            self.can_be_woken(self.alice, **theirs)
            self.assertEqual((self.provider(self.alice), self.provider(self.bob)), ("apple", None))

    def test_spelling(self) -> None:
        """The same where its provider knows it by another spelling, which is the one that is used."""
        self.can_be_woken(self.bob, "ABC", call_token="DEF")
        self.can_be_woken(self.alice, "abc")
        self.assertEqual((self.provider(self.alice), self.provider(self.bob)), ("apple", None))
        self.can_be_woken(self.bob, "DeF")
        self.can_be_woken(self.alice, "abc", call_token="def")
        self.assertEqual((self.provider(self.alice), self.provider(self.bob)), ("apple", None))

    def test_other_provider(self) -> None:
        """What another provider calls the same is another place."""
        self.pushes.offered.append(self.pushes.offered[0].__class__("other", "apns"))
        self.alice.call("push.set", provider="other", token="bob's")
        self.assertEqual((self.provider(self.alice), self.provider(self.bob)), ("other", "apple"))


class RestTests(RegistrationCase):
    def test_sealed(self) -> None:
        """Nothing on disk tells a token or a provider, and the row is good in its place alone."""
        keys = {"p256dh": KEYS["p256dh"], "auth": KEYS["auth"]}
        self.bob.call("push.set", provider="web", token=TOKEN, call_token="c-" + TOKEN, keys=keys)
        dump = self.world.database.now(lambda c: "\n".join(c.connection.driver_connection.iterdump()))  # type: ignore[union-attr]
        self.assertIn('INSERT INTO "pushes"', dump)
        for secret in (TOKEN, TOKEN.encode().hex(), "web", *keys.values()):
            self.assertIsNone(re.search(secret, dump, re.IGNORECASE), secret)
        device = self.world.vault.blinder.device(DeviceId(self.alice.device))
        self.world.database.execute("UPDATE pushes SET device = ?", device)
        self.assertIsNone(self.provider(self.alice))
        self.assertEqual(len(self.flushLoggedErrors()), 0)

    def test_repr(self) -> None:
        """An address shows nothing of itself."""
        self.assertEqual(repr(PushAddress(TOKEN, TOKEN, b"k" * 65, b"s" * 16)), "PushAddress()")

    def test_with_the_device(self) -> None:
        """A device that is revoked, logged out, or put out by a new password is woken no more."""
        devices = [self.world.login("bob") for _ in range(4)]
        for number, device in enumerate(devices):
            self.can_be_woken(device, f"token-{number}")
        self.assertEqual(self.rows(), 5)
        self.bob.call("device.revoke", device=devices[0].device)
        devices[1].call("session.logout")
        self.assertEqual(self.rows(), 3)
        self.bob.call("account.password", current=PASSWORD, new="another horse battery")
        self.assertEqual((self.rows(), self.provider(self.bob)), (1, "apple"))

    def test_with_the_account(self) -> None:
        """A closed account leaves nothing of it."""
        pin = "730951"
        self.bob.call("account.pin.set", password=PASSWORD, pin=pin)
        self.bob.call("session.block", pin=pin)
        self.world.settle()
        self.assertEqual(self.rows(), 0)

    def test_meanwhile(self) -> None:
        """A device that is revoked while it asks is not there again through that."""
        other = self.world.login("bob")
        self.world.database.hold = True
        self.bob.ask("device.revoke", device=other.device)
        other.ask("push.set", provider="apple", token="late")
        self.world.database.release()
        self.assertEqual((self.rows(), self.provider(self.bob)), (1, "apple"))
