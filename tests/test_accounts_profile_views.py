"""What of a profile is shown to whom, how long it may be, and what was stored by older versions."""

from typing import Any

from msgspec import Struct
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.accounts import records
from safeum_home.accounts.contact_rows import ContactSide
from safeum_home.accounts.foreign_notes import ForeignNotes
from safeum_home.accounts.profile_changes import ProfileChanges
from safeum_home.accounts.profile_views import ProfileViews
from safeum_home.ids import AccountId
from safeum_home.node.alone import ALONE
from safeum_home.protocol import MAX_FRAME, frames
from safeum_home.protocol.commands import ProfileResult, ProfileSet
from safeum_home.protocol.events import ProfileChanged
from safeum_home.protocol.types import OwnProfile, Profile, ProfileField
from safeum_home.safenum.numbers.assignment import Numbers
from safeum_home.storage.accounts import account
from tests.world import Client, Refused, World

NUMBER = "+000 123 456"
FULL = {
    "display_name": "Bobby",
    "status": "at sea",
    "about": "I like boats,\nand the sea",
    "fields": [{"label": "Birthday", "value": "10 December"}, {"label": "Birthday", "value": "again"}],
    "show_safenum": True,
}


class ViewTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.world = World()
        self.alice, self.bob = self.world.register("alice"), self.world.register("bob")
        self.world.befriend(self.alice, self.bob)

    def seen(self, client: Client) -> dict[str, Any]:
        params = {} if client.account == self.bob.account else {"account": self.bob.account}
        profile: dict[str, Any] = client.call("profile.get", **params)["profile"]
        return profile

    def told(self, client: Client) -> list[dict[str, Any]]:
        return [e["params"]["profile"] for e in client.take("profile.changed")]

    def test_everything(self) -> None:
        """What is set is shown, and told in the form in which it is shown; the switch to its owner alone."""
        self.bob.call("profile.set", profile=FULL)
        own = {**FULL, "avatar": None, "safenum": None}
        shown = {**own, "show_safenum": None}
        tablet = self.world.login("bob")
        for client, expected in ((self.bob, own), (tablet, own), (self.alice, shown)):
            self.assertEqual(self.seen(client), expected)
        self.assertEqual((self.told(self.bob), self.told(self.alice)), ([own], [shown]))
        self.alice.resume(self.alice.cursor)
        self.bob.resume(self.bob.cursor)
        self.assertEqual((self.told(self.bob), self.told(self.alice)), ([own], [shown]))

    def test_replaced_whole(self) -> None:
        """What a later `profile.set` leaves out is gone."""
        self.bob.call("profile.set", profile=FULL)
        self.bob.call("profile.set", profile={"display_name": "B"})
        self.assertEqual((self.seen(self.bob)["about"], self.seen(self.bob)["fields"]), ("", []))
        self.assertIs(self.seen(self.bob)["show_safenum"], False)

    def test_number(self) -> None:
        """Contacts see a number that is shown; a hidden one looks like none. Its owner sees it always."""
        numbers: dict[str, str] = {}
        self.patch(Numbers, "number_of", lambda _, c, account: numbers.get(account))
        numbers[self.alice.account] = "not Bob's"
        for number in (None, NUMBER):
            if number is not None:
                numbers[self.bob.account] = number
            for show in (False, True):
                self.bob.call("profile.set", profile={"show_safenum": show})
                visible = number if show else None
                self.assertEqual(
                    (self.seen(self.bob)["safenum"], self.seen(self.alice)["safenum"]), (number, visible)
                )
                [to_bob], [to_alice] = self.told(self.bob), self.told(self.alice)
                self.assertEqual((to_bob["safenum"], to_alice["safenum"]), (number, visible))
                self.assertEqual((to_bob["show_safenum"], to_alice["show_safenum"]), (show, None))

    def test_told_again(self) -> None:
        """Who is given a number has the profile told once more, as it is; who was away learns of it too."""
        world, vault = self.world, self.world.vault
        directory, bus = world.domain.directory, world.services.bus
        side = ContactSide(world.database, vault.blinder, vault.cursors, directory, 10)
        self.patch(Numbers, "number_of", lambda _, c, account: NUMBER)
        views = ProfileViews(world.domain.numbers.numbers)
        notes = ForeignNotes(world.config.node.name, ALONE, vault.blinder)
        kept = world.database, vault.cursors, directory
        changes = ProfileChanges(*kept, side, views, bus, notes, lambda c, blind: set())
        self.bob.call("profile.set", profile=FULL)
        away = self.alice.cursor
        self.told(self.alice)
        bob = self.successResultOf(directory.get(AccountId(self.bob.account)))
        assert bob is not None
        publish = self.successResultOf(Deferred.fromCoroutine(changes.change(bob, lambda c, record: record)))
        self.assertEqual(self.told(self.alice), [])
        publish()
        expected = {**FULL, "avatar": None, "safenum": NUMBER, "show_safenum": None}
        self.assertEqual(self.told(self.alice), [expected])
        self.alice.resume(away)
        self.assertEqual(self.told(self.alice), [expected])

    def test_bounds(self) -> None:
        """What is too long, too many, empty or unknown is refused, the number and the picture among it."""
        field = {"label": "l" * 32, "value": "v" * 256}
        self.bob.call("profile.set", profile={"about": "a" * 2048, "fields": [field] * 8})
        for wrong in (
            {"about": "a" * 2049},
            {"fields": [field] * 9},
            {"fields": [{**field, "label": "l" * 33}]},
            {"fields": [{**field, "label": ""}]},
            {"fields": [{**field, "value": "v" * 257}]},
            {"fields": [{**field, "value": ""}]},
            {"fields": [{**field, "more": ""}]},
            {"fields": [["a", "b"]]},
            {"show_safenum": 1},
            {"show_safenum": None},
            {"safenum": NUMBER},
            {"avatar": "A" + "a" * 26},
        ):
            error = self.assertRaises(Refused, self.bob.call, "profile.set", profile=wrong)
            self.assertEqual(error.code, "invalid_params", wrong)

    def test_frames(self) -> None:
        """The longest profile fits a frame: when it is set, told and asked for."""
        for character in '\x01\x7f"\\\u2028\U0010ffff':
            fields = (ProfileField(character * 32, character * 256),) * 8
            texts = (character * 64, character * 256, character * 2048, fields)
            profile = Profile(*texts, "A" + "a" * 26, character * 64, False)
            account = "@" + "a" * 26 + ":" + "x" * 255
            event = ProfileChanged("c" * 22, account, profile)
            self.assertLess(len(frames.encode_event(event)), MAX_FRAME // 2)
            result = ProfileResult(account, "a" * 320, profile)
            self.assertLess(len(frames.encode_result("\x01" * 64, result)), MAX_FRAME // 2)
            asked = frames.encode_params(ProfileSet(OwnProfile(*texts)))
            self.assertLess(len(asked), MAX_FRAME // 2)
        self.bob.call("profile.set", profile={"about": "\x01" * 2048})
        self.assertEqual(self.seen(self.alice)["about"], "\x01" * 2048)

    def test_old_rows(self) -> None:
        """Profiles and devices that were stored with fewer members open, and the rest is empty."""
        bob = AccountId(self.bob.account)
        row = self.world.database.now(lambda c: account(c, self.world.vault.blinder.account(bob)))
        assert row is not None
        key = self.world.vault.keyring.unwrap(row.account, row.key)

        class ProfileRecord(Struct):
            account: str
            display_name: str
            status: str

        class DeviceRecord(Struct):
            device: str
            name: str
            system: str
            created_at: int

        device = self.world.vault.blinder.device(self.bob.device)  # type: ignore[arg-type]
        self.bob.call("profile.set", profile=FULL)
        old = records.seal(key, ProfileRecord(bob, "Old", "row"), row.account)
        self.world.database.execute("UPDATE profiles SET sealed = ? WHERE account = ?", old, row.account)
        old = records.seal(key, DeviceRecord(self.bob.device, "old", "OS", 5), device)
        self.world.database.execute("UPDATE devices SET sealed = ? WHERE device = ?", old, device)
        again = World(self.world.database, self.world.vault)
        self.bob.world = again
        self.bob.resume()
        empty: dict[str, Any] = {
            "about": "",
            "fields": [],
            "avatar": None,
            "safenum": None,
            "show_safenum": False,
        }
        self.assertEqual(self.seen(self.bob), {"display_name": "Old", "status": "row", **empty})
        [entry] = self.bob.call("device.list")["devices"]
        details = ("old", "OS", None, None, None, None)
        keys = ("name", "system", "type", "model", "region", "time_zone")
        self.assertEqual(tuple(entry[key] for key in keys), details)

    def test_damaged(self) -> None:
        """A profile that cannot be opened any more is empty, and can be set anew."""
        self.bob.call("profile.set", profile=FULL)
        blind = self.world.vault.blinder.account(AccountId(self.bob.account))
        self.world.database.execute("UPDATE profiles SET sealed = x'00' WHERE account = ?", blind)
        for client in (self.bob, self.alice):
            self.assertEqual(self.seen(client)["display_name"], "")
        self.bob.call("profile.set", profile=FULL)
        self.assertEqual(self.seen(self.alice)["display_name"], "Bobby")
