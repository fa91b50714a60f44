"""Profiles and pictures between nodes, and accounts that are closed."""

from base64 import b64decode, b64encode
from typing import Any

from twisted.internet.defer import Deferred, succeed

from safeum_home.errors import Code, Problem
from safeum_home.images import clean
from safeum_home.ports.federation import Applied
from safeum_home.protocol.federation.events import new_event
from safeum_home.protocol.federation.questions import AvatarHeld, FoundAccount
from tests.nodes_case import A, B, TwoNodes, seen, state
from tests.test_images import drawn, encoded, laden
from tests.world import PASSWORD, Client, Refused

PIN = "284716"
PNG = encoded(drawn("RGB"), "PNG")


class Case(TwoNodes):
    def refused(self, code: str, client: Client, method: str, **params: Any) -> None:
        self.assertEqual(self.assertRaises(Refused, client.call, method, **params).code, code)

    def says(self, kind: str, sender: str, content: dict[str, Any], node: str = B) -> str | None:
        """What comes of an event that `node` sends to Alice's: the code where it is refused."""
        world = self.nodes[A]
        shared = next(each for each in world.domain.shared if each.type == kind)
        done: list[Any] = []
        event = new_event(kind, sender, 0, content)  # type: ignore[arg-type]  # it is an account's id
        Deferred.fromCoroutine(shared.apply(node, event)).addBoth(done.append)
        if not isinstance(done[0], Applied):
            self.assertIsInstance(done[0].value, Problem)
            return str(done[0].value.code.value.code)
        stored: list[Any] = []
        done[0].placed()
        world.database.transact(done[0].store).addBoth(stored.append)
        done[0].ended()
        return None if stored == [None] else str(stored[0].value.code.value.code)


class ProfileTests(Case):
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
        from safeum_home.accounts.profile_views import WithoutNumbers

        self.patch(WithoutNumbers, "number_of", lambda _, c, account: "+992 1 234")
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


class PictureTests(Case):
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
        from safeum_home.protocol.federation.questions import AvatarOf

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


class ClosedTests(Case):
    """An account that is closed with its PIN."""

    def setUp(self) -> None:
        super().setUp()
        self.chat = self.befriend()
        self.bob.call("account.pin.set", password=PASSWORD, pin=PIN)
        self.carol = self.nodes[A].register("carol")
        self.bob.call("contact.request", account=self.carol.account, address="carol@a.example")
        self.alice.write(self.chat, "hello")
        self.nodes.settle()
        self.alice.take()
        self.carol.take()

    def close(self) -> None:
        Client(self.nodes[B], "198.51.100.1").call("account.block", username="bob", pin=PIN)

    def test_closed(self) -> None:
        """Contacts see that it is closed, requests are withdrawn, and chats are erased."""
        database = self.nodes[A].database
        self.close()
        self.nodes.settle()
        self.assertEqual((state(self.alice, self.bob), seen(self.alice)), ("closed", ["closed"]))
        self.assertEqual((state(self.carol, self.bob), seen(self.carol)), ("none", ["none"]))
        self.refused("not_found", self.alice, "chat.history", chat=self.chat)
        self.refused(
            "not_a_contact", self.alice, "chat.send", **self.alice.message(self.chat, "still there?")
        )
        for table, count in {
            "profiles": 0,
            "avatars": 0,
            "chats": 2,
            "members": 2,
            "keys": 4,
            "events": 2,
        }.items():
            self.assertEqual(database.count(table), count, table)
        # What is left are the rows of the two who had to do with it.
        self.assertEqual(database.count("contacts"), 2)
        self.assertGreater(self.nodes[A].domain.turns.epoch, 1)
        self.alice.call("contact.remove", account=self.bob.account)

    def test_while_away(self) -> None:
        """It is told after an outage too, before all else, and nothing of the account is left meanwhile."""
        self.nodes.away.add(A)
        self.close()
        self.nodes.settle()
        waiting = [row for row in self.nodes.peers[B].waiting if row.type == "account.closed"]
        self.assertEqual([row.urgent for row in waiting], [True])
        local = self.bob.account.partition(":")[0].encode()
        self.assertNotIn(local, waiting[0].pointer)
        self.assertEqual(self.nodes[B].database.count("contacts"), 0)
        self.nodes.restart(B)
        self.nodes.away.clear()
        self.nodes.settle()
        self.assertEqual(state(self.alice, self.bob), "closed")

    def test_declined_before(self) -> None:
        """Nodes that know nothing of the account are not told; what was asked of it stays as it was."""
        nodes = self.nodes
        dora = nodes[A].register("dora")
        dora.call("contact.request", account=self.bob.account, address="bob@b.example")
        nodes.settle()
        self.bob.call("contact.decline", account=dora.account)
        nodes.settle()
        self.close()
        nodes.settle()
        self.assertEqual(state(dora, self.bob), "requested")

    def test_forged(self) -> None:
        """Another node cannot say it, and it means nothing of somebody whom nobody here knows."""
        self.assertEqual(self.says("account.closed", self.bob.account, {}, "c.example"), "wrong_sender_node")
        before = self.nodes[A].database.count("erasing")
        self.assertIsNone(self.says("account.closed", f"@{'b' * 26}:b.example", {}))
        self.assertEqual(self.nodes[A].database.count("erasing"), before)
        self.assertEqual(state(self.alice, self.bob), "accepted")


class HostileTests(Case):
    """What a node cannot make another believe."""

    def test_other_accounts(self) -> None:
        """It speaks for its own accounts alone."""
        said = {"peer": self.alice.account, "state": "requested", "asked": 1, "address": "bob@b.example"}
        self.assertEqual(self.says("contact", self.bob.account, said, "c.example"), "wrong_sender_node")
        self.assertEqual(
            self.says("profile", self.bob.account, {"address": "x@b.example"}, "c.example"),
            "wrong_sender_node",
        )

    def test_malformed(self) -> None:
        """Addresses of other nodes, numbers, others' ids, and what is out of bounds are refused."""
        said: dict[str, Any] = {"peer": self.alice.account, "state": "requested", "asked": 1}
        others = f"@{'b' * 26}:b.example"
        for address in ("bob@c.example", "+4915112345678@b.example", others, "bob@B example", "", None):
            self.assertEqual(
                self.says("contact", self.bob.account, {**said, "address": address}),
                "malformed_event",
                address,
            )
        wrongs: tuple[dict[str, Any], ...] = (
            {"asked": 0},
            {"asked": -1},
            {"asked": 2**53},
            {"state": "blocked"},
            {"more": 1},
            {"of": "1"},
        )
        for wrong in wrongs:
            content = {**said, "address": "bob@b.example", **wrong}
            self.assertEqual(self.says("contact", self.bob.account, content), "malformed_event", wrong)
        profiles: tuple[dict[str, Any], ...] = (
            {"display_name": "x" * 65},
            {"avatar": "x"},
            {"fields": [{}]},
            {"safenum": ""},
        )
        for shown in profiles:
            self.assertEqual(
                self.says("profile", self.bob.account, {"address": "bob@b.example", **shown}),
                "malformed_event",
                shown,
            )
        self.assertEqual(self.nodes[A].database.count("contacts"), 0)

    def test_without_being_asked(self) -> None:
        """Nobody is in contact with whom he has not asked or accepted, whatever the other node says."""
        said: dict[str, Any] = {"peer": self.alice.account, "address": "bob@b.example"}
        for more in ({"of": 1}, {}):
            content = {"state": "accepted", "asked": 1, **more}
            self.assertIsNone(self.says("contact", self.bob.account, {**said, **content}))
            self.assertEqual(state(self.alice, self.bob), "none")
        self.alice.call("contact.request", account=self.bob.account, address="bob@b.example")
        self.assertIsNone(
            self.says("contact", self.bob.account, {**said, "state": "accepted", "asked": 2, "of": 1})
        )
        self.assertEqual(state(self.alice, self.bob), "requested")

    def test_profiles_of_strangers(self) -> None:
        """What a stranger shows is not kept."""
        self.assertEqual(
            self.says("profile", self.bob.account, {"address": "bob@b.example"}), "not_a_contact"
        )
        self.assertEqual(self.nodes[A].database.count("profiles"), 0)

    def test_found_elsewhere(self) -> None:
        """A node that is asked for a login cannot name an account of another one."""
        found = FoundAccount(f"@{'b' * 26}:c.example")
        self.patch(self.nodes.peers[A], "ask", lambda *_: succeed(found))
        self.refused("node_unreachable", self.alice, "contact.find", address="bob@b.example")

    def test_floods(self) -> None:
        """A node that asks too much waits; what others ask is answered."""
        from safeum_home.protocol.federation.questions import FindAccount
        from tests.nodes import Nodes

        nodes = Nodes(
            A,
            B,
            finds_per_node=0.01,
            finds_per_node_burst=2,
            contact_requests_per_node=0.01,
            contact_requests_per_node_burst=1,
        )
        alice = nodes[A].register("alice")
        answer = nodes[A].domain.answers[FindAccount]
        codes = []
        for node in (B, B, B, "c.example"):
            done = Deferred.fromCoroutine(answer(node, FindAccount("nobody")))  # type: ignore[arg-type,var-annotated]
            codes.append(self.failureResultOf(done).value.code)
        self.assertEqual(codes, [Code.NOT_FOUND, Code.NOT_FOUND, Code.RATE_LIMITED, Code.NOT_FOUND])
        self.nodes, self.alice = nodes, alice
        told = []
        for place in range(2):
            sender = f"@{'ab'[place] * 26}:b.example"
            said = {"peer": alice.account, "state": "requested", "asked": 1, "address": sender}
            told.append(self.says("contact", sender, said))
        self.assertEqual(told, [None, "busy"])

    def test_numbers(self) -> None:
        """A number is never asked for at another node, and never answered."""
        asked: list[Any] = []
        self.patch(self.nodes.peers[A], "ask", lambda *args: asked.append(args))
        self.refused("not_found", self.alice, "contact.find", address="+4915112345678@b.example")
        self.assertEqual(asked, [])
