"""Profiles and pictures of contacts at another node."""

from base64 import b64decode, b64encode

from twisted.internet.defer import Deferred, succeed

from safeum_home.accounts.profile_views import WithoutNumbers
from safeum_home.errors import Code
from safeum_home.images import clean
from safeum_home.protocol.federation.questions import AvatarHeld, AvatarOf
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
