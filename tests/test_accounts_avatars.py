"""Pictures of accounts: who sees them, what is kept, and what is told."""

import os
import struct
from base64 import b64decode, b64encode
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from safeum_home.ids import AccountId, new_account_id
from safeum_home.images import clean
from safeum_home.protocol import MAX_FRAME, frames
from safeum_home.protocol.commands import AvatarResult, AvatarSet
from safeum_home.protocol.types import MAX_AVATAR
from tests.test_images import SECRET, chunk, drawn, encoded, laden
from tests.world import NODE, Client, Refused, World

PNG = encoded(drawn("RGB"), "PNG")
JPEG = laden(drawn("L"), "JPEG")


def params(data: bytes, kind: str = "image/png") -> dict[str, Any]:
    return {"type": kind, "data": b64encode(data).decode()}


def picture(octets: int, metadata: bytes = b"") -> bytes:
    """A picture of so many octets, as far as anybody sees who does not decode it."""
    start = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 512, 512, 8, 6, 0, 0, 0))
    start, end = start + metadata, chunk(b"IEND", b"")
    return start + chunk(b"IDAT", os.urandom(octets - len(start) - len(end) - 12)) + end


def largest() -> bytes:
    """A picture of exactly as many octets as are taken."""
    return picture(MAX_AVATAR)


class AvatarCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.world = World()
        self.alice, self.bob = self.world.register("alice"), self.world.register("bob")

    def put(self, client: Client, data: bytes = PNG, kind: str = "image/png") -> str:
        avatar: str = client.call("profile.avatar.set", **params(data, kind))["avatar"]
        return avatar

    def refused(self, client: Client, method: str, **given: Any) -> dict[str, Any]:
        error: dict[str, Any] = self.assertRaises(Refused, client.call, method, **given).error
        return error

    def get(self, client: Client, avatar: str, owner: Client) -> bytes:
        answer = client.call("profile.avatar.get", avatar=avatar, account=owner.account)
        self.assertEqual((answer["account"], answer["avatar"]), (owner.account, avatar))
        data = b64decode(answer["data"])
        self.assertEqual(clean(data, answer["type"]).data, data)
        return data

    def named(self, client: Client) -> list[str | None]:
        """The pictures that were named in profiles since the last time."""
        return [e["params"]["profile"]["avatar"] for e in client.take("profile.changed")]


class SeeingTests(AvatarCase):
    def test_contacts_see_it(self) -> None:
        """Contacts and one's own devices are told, and get it; without its metadata."""
        self.world.befriend(self.alice, self.bob)
        tablet = self.world.login("bob")
        avatar = self.put(self.bob, JPEG, "image/jpeg")
        for client in (self.alice, self.bob, tablet):
            self.assertEqual(self.named(client), [avatar])
            self.assertEqual(self.get(client, avatar, self.bob), clean(JPEG).data)
        self.assertNotIn(SECRET.encode(), clean(JPEG).data)
        own = self.bob.call("profile.avatar.get", avatar=avatar)
        self.assertEqual(own["type"], "image/jpeg")
        shown = self.alice.call("profile.get", account=self.bob.account)["profile"]
        self.assertEqual(shown["avatar"], avatar)

    def test_others_do_not(self) -> None:
        """Strangers, those who ask, those who were removed or blocked: as if there were no such account."""
        avatar = self.put(self.bob)
        ask = {"method": "profile.avatar.get", "avatar": avatar}
        nobody = self.refused(self.alice, account=new_account_id(NODE), **ask)
        self.assertEqual(nobody["data"]["code"], "not_found")

        def hidden() -> None:
            self.assertEqual(self.refused(self.alice, account=self.bob.account, **ask), nobody)

        hidden()
        self.alice.call("contact.request", account=self.bob.account, address="bob")
        hidden()
        for ending in ("remove", "block"):
            self.world.befriend(self.alice, self.bob)
            self.get(self.alice, avatar, self.bob)
            self.bob.call(f"contact.{ending}", account=self.alice.account)
            hidden()
        self.put(self.bob, encoded(drawn("L"), "PNG"))
        self.assertEqual(self.named(self.alice), [])

    def test_only_what_the_profile_names(self) -> None:
        """A contact without a picture, and a picture that was replaced, look alike."""
        self.world.befriend(self.alice, self.bob)
        ask = {"method": "profile.avatar.get", "account": self.bob.account}
        none = self.refused(self.alice, avatar="A" + "a" * 26, **ask)
        first = self.put(self.bob)
        self.put(self.bob, encoded(drawn("L"), "PNG"))
        self.assertEqual(self.refused(self.alice, avatar=first, **ask), none)

    def test_missed(self) -> None:
        """Who was away learns which picture there is now."""
        self.world.befriend(self.alice, self.bob)
        self.alice.drop()
        self.put(self.bob)
        last = self.put(self.bob, encoded(drawn("L"), "PNG"))
        self.assertEqual(self.named(self.alice.resume(self.alice.cursor)), [last])


class KeepingTests(AvatarCase):
    def test_the_same_again(self) -> None:
        """The same picture has the same id, also with other metadata, and is not told twice."""
        self.world.befriend(self.alice, self.bob)
        image = drawn("RGB")
        first = self.put(self.bob, encoded(image, "PNG"))
        self.assertEqual(self.put(self.bob, laden(image, "PNG")), first)
        self.assertEqual(self.named(self.alice), [first])
        self.assertNotEqual(self.put(self.alice, encoded(image, "PNG")), first)

    def test_one_is_kept(self) -> None:
        """The one before is gone from the disk, and with `remove` the last one too."""
        self.world.befriend(self.alice, self.bob)
        self.put(self.bob)
        self.put(self.bob, encoded(drawn("L"), "PNG"))
        self.assertEqual(self.world.database.count("avatars"), 1)
        self.named(self.alice)
        for told in ([None], []):
            self.assertEqual(self.bob.call("profile.avatar.remove"), {})
            self.assertEqual((self.named(self.alice), self.world.database.count("avatars")), (told, 0))

    def test_beside_the_profile(self) -> None:
        """Neither the picture nor the profile undoes the other, also where both change at once."""
        self.bob.call("profile.set", profile={"display_name": "Bobby"})
        first = self.put(self.bob)
        self.bob.call("profile.set", profile={"display_name": "Robert"})
        self.world.database.hold = True
        asked = [self.bob.ask("profile.set", profile={"display_name": "Rob"})]
        asked.append(self.bob.ask("profile.avatar.set", **params(encoded(drawn("L"), "PNG"))))
        asked.append(self.bob.ask("profile.set", profile={"display_name": "Bert"}))
        self.world.database.release()
        self.world.database.hold = False
        self.assertNotIn(None, [self.bob.answer(number) for number in asked])
        profile = self.bob.call("profile.get")["profile"]
        self.assertEqual(profile["display_name"], "Bert")
        self.assertNotIn(profile["avatar"], (None, first))
        self.get(self.bob, profile["avatar"], self.bob)

    def test_at_rest(self) -> None:
        """The disk holds neither the picture nor its id; a row in another's place does not open."""
        self.world.befriend(self.alice, self.bob)
        avatar = self.put(self.bob)
        rows = self.world.database.now(
            lambda c: c.exec_driver_sql("SELECT account, sealed FROM avatars").fetchall()
        )
        [(account, sealed)] = rows
        self.assertEqual(account, self.world.vault.blinder.account(AccountId(self.bob.account)))
        for hidden in (PNG[:64], PNG[100:116], avatar.encode(), b"image/png"):
            self.assertNotIn(hidden, sealed)
        again = World(self.world.database, self.world.vault)
        self.get(Client(again).login("bob"), avatar, self.bob)
        alices = self.put(self.alice)
        self.world.database.execute(
            "UPDATE avatars SET sealed = ? WHERE account = ?",
            sealed,
            self.world.vault.blinder.account(AccountId(self.alice.account)),
        )
        for asked in (alices, avatar):
            error = self.refused(self.alice, "profile.avatar.get", avatar=asked)
            self.assertEqual(error["data"]["code"], "not_found")
        self.put(self.alice)
        self.get(self.bob, alices, self.alice)

    def test_a_commit_that_fails(self) -> None:
        """What was not stored is shown to nobody."""
        self.world.befriend(self.alice, self.bob)
        avatar = self.put(self.bob)
        self.named(self.alice)
        self.world.database.failing = True
        for method, given in (
            ("profile.avatar.set", params(encoded(drawn("L"), "PNG"))),
            ("profile.avatar.remove", {}),
        ):
            error = self.refused(self.bob, method, **given)
            self.assertEqual(error["data"]["code"], "storage_unavailable")
        self.world.database.failing = False
        self.assertEqual(self.named(self.alice), [])
        self.get(self.alice, avatar, self.bob)


class RefusingTests(AvatarCase):
    def code(self, data: bytes, kind: str = "image/png") -> str:
        code: str = self.refused(self.bob, "profile.avatar.set", **params(data, kind))["data"]["code"]
        return code

    def test_what_is_no_picture(self) -> None:
        """Each refusal has its code, and leaves what there is."""
        avatar = self.put(self.bob)
        moving = encoded(drawn("RGB"), "PNG", save_all=True, append_images=[drawn("RGB").rotate(9)])
        self.assertEqual(self.code(JPEG), "invalid_image")
        self.assertEqual(self.code(PNG[:-20]), "invalid_image")
        self.assertEqual(self.code(b"GIF89a"), "invalid_image")
        self.assertEqual(self.code(moving), "animated_image")
        self.assertEqual(self.code(encoded(drawn("L", (513, 4)), "PNG")), "too_large")
        self.assertEqual(self.code(PNG, "image/gif"), "invalid_params")
        self.assertEqual(self.code(b""), "invalid_params")
        self.assertEqual(self.code(largest() + b"x"), "invalid_params")
        self.get(self.bob, avatar, self.bob)

    def test_too_often(self) -> None:
        """Changes of a profile are limited, of all parts together: each is told to all contacts."""
        world = World(profile_changes_per_account=0.1, profile_changes_per_account_burst=3)
        self.bob = world.register("bob")
        self.put(self.bob)
        self.bob.call("profile.set", profile={})
        self.bob.call("profile.avatar.remove")
        for method, given in (
            ("profile.avatar.set", params(b"not even looked at")),
            ("profile.set", {"profile": {}}),
            ("profile.avatar.remove", {}),
        ):
            error = self.refused(self.bob, method, **given)
            self.assertEqual(error["data"]["code"], "rate_limited")
            self.assertAlmostEqual(error["data"]["retry_after"], 10.0)
        world.clock.advance(10)
        self.put(self.bob)

    def test_frames(self) -> None:
        """The largest picture fits a frame, both ways."""
        data = largest()
        self.assertEqual(len(data), MAX_AVATAR)
        self.get(self.bob, self.put(self.bob, data), self.bob)
        account = "@" + "a" * 26 + ":" + "x" * 255
        answer = AvatarResult(account, "A" + "a" * 26, "image/webp", bytes(MAX_AVATAR))
        self.assertLessEqual(len(frames.encode_result("\x01" * 64, answer)), MAX_FRAME)
        asked = frames.encode_params(AvatarSet("image/jpeg", bytes(MAX_AVATAR)))
        self.assertLess(len(asked) + 1024, MAX_FRAME)
