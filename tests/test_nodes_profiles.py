"""Profiles and pictures of contacts at another node."""

import sys
from base64 import b64decode, b64encode
from typing import Any

from twisted.internet.defer import Deferred, succeed

from safeum_home.accounts import foreign_profiles
from safeum_home.accounts.contact_rows import ContactSide
from safeum_home.errors import Code, Erased, Problem
from safeum_home.ids import AccountId
from safeum_home.images import clean
from safeum_home.protocol.federation.events import new_event
from safeum_home.protocol.federation.questions import AvatarHeld, AvatarOf
from safeum_home.safenum.numbers.assignment import Numbers
from tests.nodes import Nodes
from tests.nodes_case import A, B, TwoNodes
from tests.test_images import drawn, encoded, laden

PNG = encoded(drawn("RGB"), "PNG")


class ProfileTests(TwoNodes):
    """What contacts at other nodes see."""

    def test_everything(self) -> None:
        """All that contacts see of a profile goes to the other node."""
        mine = {"display_name": "Bob", "status": "s", "about": "a", "fields": [{"label": "l", "value": "v"}]}
        self.bob.call("profile.set", profile=mine)
        self.befriend()
        shown = self.alice.call("profile.get", account=self.bob.account)["profile"]
        self.assertEqual({name: shown[name] for name in mine}, mine)
        self.assertIsNone(shown.get("show_safenum"))

    def test_numbers(self) -> None:
        """A number is told where its owner shows it, and only then."""
        self.patch(Numbers, "number_of", lambda _, c, account: "+992 1 234")
        self.befriend()
        for show in (False, True, False):
            self.bob.call("profile.set", profile={"show_safenum": show})
            self.nodes.settle()
            shown = self.alice.call("profile.get", account=self.bob.account)["profile"]
            self.assertEqual(shown.get("safenum"), "+992 1 234" if show else None)

    def test_after_parting(self) -> None:
        """What changes behind a parting is told no more, also where it waited for the other node."""
        self.befriend()
        self.nodes.away.add(A)
        self.bob.call("profile.set", profile={"display_name": "still"})
        self.bob.call("contact.remove", account=self.alice.account)
        self.bob.call("profile.set", profile={"display_name": "secret"})
        self.nodes.away.clear()
        self.nodes.settle()
        self.assertEqual(self.alice.take("profile.changed"), [])
        self.assertEqual(self.nodes.peers[B].refused, [])
        self.refused("not_found", self.alice, "profile.get", account=self.bob.account)

    def test_devices_that_were_away(self) -> None:
        """A device that was away learns of a contact at another node, and of its profile, as of any other."""
        since = self.alice.cursor
        self.befriend()
        self.bob.call("profile.set", profile={"display_name": "Robert"})
        self.nodes.settle()
        self.alice.resume(since)
        self.nodes[A].settle()
        told = {event["method"]: event["params"] for event in self.alice.take()}
        self.assertEqual(told["contact.changed"]["contact"]["display_name"], "Robert")
        self.assertEqual(told["profile.changed"]["profile"]["display_name"], "Robert")

    def test_told_twice(self) -> None:
        """Nothing is told to anybody where the profile is as it was."""
        self.befriend()
        self.bob.call("profile.set", profile={"display_name": "Bob"})
        self.nodes.settle()
        self.assertEqual(len(self.alice.take("profile.changed")), 1)

    def test_chats(self) -> None:
        """Lists of chats name contacts of other nodes, by their address there."""
        chat = self.befriend()
        self.bob.call("profile.set", profile={"display_name": "Robert"})
        self.nodes.settle()
        self.alice.write(chat, "hello")
        chats = self.alice.call("chat.list")["chats"]
        (mine,) = [each for each in chats if each["chat"] == chat]
        self.assertEqual((mine["address"], mine["display_name"]), ("bob@b.example", "Robert"))


class CostTests(TwoNodes):
    """What profiles cost their own node, and others."""

    def test_the_list(self) -> None:
        """However many nodes are told, a list that did not change is opened once."""
        self.befriend()
        kind: Any = next(each for each in self.nodes[B].domain.shared if each.type == "profile")
        world = self.nodes[B]
        owner = world.vault.blinder.account(AccountId(self.bob.account))
        opened: list[Any] = []
        rows = ContactSide.rows

        def counting(side: ContactSide, *what: Any) -> Any:
            opened.append(what)
            return rows(side, *what)

        self.patch(ContactSide, "rows", counting)
        self.bob.call("profile.set", profile={"display_name": "Robert"})
        opened.clear()
        for _ in range(3):
            for node, told in ((A, True), ("c.example", False)):
                pointer = owner + world.vault.blinder.node(node)
                built = world.database.now(lambda c: kind.build(c, pointer))  # noqa: B023
                self.assertEqual(built is not None, told)
        self.assertLessEqual(len(opened), 1)
        self.bob.call("contact.remove", account=self.alice.account)
        pointer = owner + world.vault.blinder.node(A)
        self.assertIsNone(world.database.now(lambda c: kind.build(c, pointer)))

    def test_lists_are_bounded(self) -> None:
        """Where the contacts of all accounts are is not remembered."""
        self.patch(foreign_profiles, "MOST_LISTS", 2)
        world = self.nodes[B]
        kind: Any = next(each for each in world.domain.shared if each.type == "profile")
        for number in range(4):
            account = AccountId(world.register(f"somebody{number}").account)
            pointer = world.vault.blinder.account(account) + world.vault.blinder.node(A)
            self.assertIsNone(world.database.now(lambda c: kind.build(c, pointer)))  # noqa: B023
        self.assertEqual(len(kind._nodes), 2)

    def test_keys(self) -> None:
        """A key is made for a profile that there is none for yet, of a contact."""
        made: list[Any] = []
        keyring: Any = self.nodes[A].vault.keyring
        new_key = type(keyring).new_key

        def counting(it: Any, owner: bytes) -> Any:
            made.append(owner)
            return new_key(it, owner)

        self.patch(type(keyring), "new_key", counting)
        told = {"address": "bob@b.example", "display_name": "Bob"}
        self.assertEqual(self.says("profile", self.bob.account, told), "not_a_contact")
        self.assertEqual(made, [])
        self.befriend()
        blind = self.nodes[A].vault.blinder.account(AccountId(self.bob.account))
        self.assertEqual(made.count(blind), 1)
        for name in ("Bo", "Bob"):
            self.assertIsNone(self.says("profile", self.bob.account, told | {"display_name": name}))
        self.assertEqual(made.count(blind), 1)

    def test_erased_meanwhile(self) -> None:
        """Where the key that was there is gone when the profile is to be stored, it is told again."""
        self.befriend()
        world = self.nodes[A]
        kind: Any = next(each for each in world.domain.shared if each.type == "profile")
        event = new_event("profile", AccountId(self.bob.account), 0, {"address": "bob@b.example"})
        applied = self.successResultOf(Deferred.fromCoroutine(kind.apply(B, event)))
        blind = world.vault.blinder.account(AccountId(self.bob.account))
        world.database.execute("DELETE FROM keys WHERE owner = ?", blind)
        failure = self.failureResultOf(world.database.transact(applied.store), Problem)
        self.assertIs(failure.value.code, Code.BUSY)
        applied.ended()
        self.assertIsNone(self.says("profile", self.bob.account, {"address": "bob@b.example"}))

    def test_too_often(self) -> None:
        """An account elsewhere changes its profile as often as one here may."""
        self.nodes = Nodes(A, B, profile_changes_per_account=0.1, profile_changes_per_account_burst=4)
        self.alice, self.bob = self.nodes[A].register("alice"), self.nodes[B].register("bob")
        self.befriend()
        told = [
            self.says("profile", self.bob.account, {"address": "bob@b.example", "status": str(number)})
            for number in range(4)
        ]
        self.assertEqual(told, [None, None, "rate_limited", "rate_limited"])
        self.nodes[A].settle(11)
        self.assertIsNone(self.says("profile", self.bob.account, {"address": "bob@b.example"}))


class PictureTests(TwoNodes):
    """Pictures of contacts at other nodes."""

    def setUp(self) -> None:
        super().setUp()
        self.befriend()
        data = b64encode(laden(drawn("RGB"), "PNG")).decode()
        self.avatar = self.bob.call("profile.avatar.set", type="image/png", data=data)["avatar"]
        self.nodes.settle()

    def test_fetched_and_kept(self) -> None:
        """The picture that the profile names is fetched once, and is there while the other node is away."""
        (changed,) = self.alice.take("profile.changed")
        self.assertEqual(changed["params"]["profile"]["avatar"], self.avatar)
        for away in ((), (B,)):
            self.nodes.away = set(away)
            got = self.alice.call("profile.avatar.get", avatar=self.avatar, account=self.bob.account)
            self.assertEqual(b64decode(got["data"]), clean(PNG).data)
        rows = self.nodes[A].database.now(lambda c: c.exec_driver_sql("SELECT sealed FROM avatars").all())
        self.assertNotIn(clean(PNG).data[-64:], rows[0][0])

    def test_keys_are_wiped(self) -> None:
        """What opens it, and seals it, is nowhere in memory after that."""
        keys: list[Any] = []
        keyring: Any = self.nodes[A].vault.keyring
        unwrap = type(keyring).unwrap
        blind = self.nodes[A].vault.blinder.account(AccountId(self.bob.account))

        def keeping(it: Any, owner: bytes, wrapped: Any) -> Any:
            key = unwrap(it, owner, wrapped)
            if owner == blind and sys._getframe(1).f_code.co_filename.endswith("foreign_avatars.py"):
                keys.append(key)
            return key

        self.patch(type(keyring), "unwrap", keeping)
        for _ in range(2):
            self.alice.call("profile.avatar.get", avatar=self.avatar, account=self.bob.account)
        self.assertEqual(len(keys), 2)  # sealed, and opened
        for key in keys:
            self.assertRaises(Erased, key.seal, b"", b"")

    def test_another_one(self) -> None:
        """With a new picture the old one is kept no longer; it is answered only what is named now."""
        self.alice.call("profile.avatar.get", avatar=self.avatar, account=self.bob.account)
        self.bob.call("profile.avatar.remove")
        self.nodes.settle()
        self.assertEqual(self.nodes[A].database.count("avatars"), 0)
        self.refused(
            "not_found", self.alice, "profile.avatar.get", avatar=self.avatar, account=self.bob.account
        )

    def test_strangers(self) -> None:
        """Who is no contact is answered `not_found`, by both nodes."""
        carol = self.nodes[A].register("carol")
        self.refused("not_found", carol, "profile.avatar.get", avatar=self.avatar, account=self.bob.account)
        answer = self.nodes[B].domain.answers[AvatarOf]
        for node, viewer in ((A, carol.account), ("c.example", self.alice.account)):
            question = AvatarOf(self.bob.account, viewer, self.avatar)
            failure = self.failureResultOf(Deferred.fromCoroutine(answer(node, question)))  # type: ignore[arg-type]
            self.assertIs(failure.value.code, Code.NOT_FOUND)

    def test_no_picture(self) -> None:
        """What is no picture is neither kept nor handed on."""
        self.patch(self.nodes.peers[A], "ask", lambda *_: succeed(AvatarHeld("image/png", b"<svg/>")))
        self.refused(
            "node_unreachable", self.alice, "profile.avatar.get", avatar=self.avatar, account=self.bob.account
        )
        self.assertEqual(self.nodes[A].database.count("avatars"), 0)
