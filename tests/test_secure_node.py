"""Secure chats at one node: who begins one, and that nothing is said in it in clear."""

from base64 import b64encode
from typing import Any

from safeum_home.config_premium import PremiumSection
from safeum_home.ids import AccountId, direct_chat_id
from tests.group_case import GroupCase
from tests.push_case import MESSAGE, WakingCase
from tests.test_images import drawn, encoded
from tests.world import Client, World

SECURE: dict[str, Any] = {"name": "Secure chat", "secure": True}
PAIR: dict[str, Any] = {**SECURE, "pair": True}
LONGEST = 54_614


def sealed(data: str = "c2VhbGVk", **more: Any) -> dict[str, Any]:
    """A body, as clients make them."""
    return {"kind": "secure", "data": data, **more}


class SecureCase(GroupCase):
    def say(self, client: Client, chat: str, **more: Any) -> str:
        """Something sealed; its id."""
        about = {"chat": chat, "client_id": f"{client.device}{next(client._ids)}", "body": sealed()}
        return str(client.call("chat.send", **{**about, **more})["id"])


class BeginningTests(SecureCase):
    def test_shown(self) -> None:
        """That it is one stands in all that tells of it, from the invitation on."""
        chat = self.create(self.alice, self.bob, **SECURE)
        [invited] = self.bob.take("group.invited")
        self.assertEqual(
            (invited["params"]["invitation"]["secure"], invited["params"]["invitation"]["pair"]),
            (True, False),
        )
        [waiting] = self.bob.call("group.invitations")["invitations"]
        self.assertTrue(waiting["secure"])
        self.bob.call("group.accept", chat=chat)
        [updated] = self.bob.take("chat.updated")
        for told in (updated["params"]["chat"]["group"], self.chats(self.alice)[chat]["group"]):
            self.assertEqual((told["secure"], told["pair"], told["name"]), (True, False, "Secure chat"))
        chat = self.group(self.alice, self.bob)
        plain = self.chats(self.alice)[chat]["group"]
        self.assertEqual((plain["secure"], plain["pair"]), (False, False))

    def test_name(self) -> None:
        """It has none of its own in clear: a client that gives one by mistake is refused."""
        for more in ({"name": "Divorce"}, {"about": "of Bob"}):
            self.refused("secure_only", self.alice, "group.create", client_id="1", **{**SECURE, **more})

    def test_again(self) -> None:
        """Making it again is the same; what is made of the same name otherwise is another group."""
        first, again = (self.create(self.alice, self.bob, **SECURE) for _ in range(2))
        self.assertEqual(first, again)
        self.assertNotEqual(first, self.create(self.alice, self.bob, name="Secure chat"))

    def test_premium(self) -> None:
        """Who begins one needs it; who is in it does not, nor does another group."""
        chat = self.create(self.alice, self.bob, **SECURE)
        world = World(self.world.database, self.world.vault, premium=PremiumSection(free=False))
        for client in (self.alice, self.bob):
            client.world = world
            client.resume()
        self.refused("premium_needed", self.bob, "group.create", client_id="1", **SECURE)
        self.bob.call("group.create", client_id="1", name="Walks")
        self.bob.call("group.accept", chat=chat)
        self.say(self.bob, chat)
        self.assertEqual(self.create(self.alice, self.bob, **SECURE), chat)  # its answer was lost


class PairTests(SecureCase):
    def test_forms(self) -> None:
        for invite in ([], [self.bob.account, self.carol.account], [self.alice.account]):
            about = {"client_id": "1", "invite": invite}
            self.refused("invalid_params", self.alice, "group.create", **{**PAIR, **about})
        clear = {**PAIR, "secure": False, "invite": [self.bob.account]}
        self.refused("invalid_params", self.alice, "group.create", client_id="1", **clear)

    def test_stranger(self) -> None:
        """With who cannot be invited there is none."""
        about = {"client_id": "1", "invite": [self.eve.account], **PAIR}
        self.refused("not_a_contact", self.alice, "group.create", **about)
        self.assertEqual(self.chats(self.alice), {})

    def test_nobody_else(self) -> None:
        """The two come back, and nobody else comes, whoever of them invites."""
        self.world.befriend(self.bob, self.carol)
        chat = self.group(self.alice, self.bob, **PAIR)
        for one in (self.alice, self.bob):
            self.refused("group_full", one, "group.invite", chat=chat, accounts=[self.carol.account])
            self.refused("secure_only", one, "group.link.reset", chat=chat)
        for gone, left in ((self.alice, self.bob), (self.bob, self.alice)):
            gone.call("group.leave", chat=chat)
            self.refused("group_full", left, "group.invite", chat=chat, accounts=[self.carol.account])
            left.call("group.invite", chat=chat, accounts=[gone.account])
            gone.call("group.accept", chat=chat)
            self.say(gone, chat)

    def test_equal(self) -> None:
        """Neither has a right over the other, as in a direct chat."""
        chat = self.group(self.alice, self.bob, **PAIR)
        self.assertEqual(
            self.roster(self.alice, chat), {"alice": ("owner", "member"), "bob": ("owner", "member")}
        )
        for one, other in ((self.alice, self.bob), (self.bob, self.alice)):
            message = self.say(other, chat)
            self.refused("not_yours", one, "message.delete", chat=chat, message=message)
            self.refused("not_permitted", one, "group.remove", chat=chat, account=other.account)
            self.refused("not_permitted", one, "group.role", chat=chat, account=other.account, role="member")
        self.bob.call("chat.history.set", chat=chat, enabled=False)
        self.assertFalse(self.chats(self.alice)[chat]["history"])
        self.alice.take()
        self.bob.call("group.leave", chat=chat)
        self.assertEqual(self.notices(self.alice), ["left"])


class ClearTests(SecureCase):
    """What would tell the node what belongs inside."""

    def setUp(self) -> None:
        super().setUp()
        self.chat = self.group(self.alice, self.bob, **SECURE)

    def test_messages(self) -> None:
        message = self.say(self.alice, self.chat)
        direct = self.world.befriend(self.alice, self.eve)
        text = self.alice.write(direct, "hi")["id"]
        in_clear: list[dict[str, Any]] = [
            {"body": {"kind": "text", "text": "hi"}},
            {"body": {"kind": "later", "text": "hi"}},
            {"reply_to": message},
            {"mentions": [self.bob.account]},
            {"body": None, "forward": {"chat": direct, "message": text}},
            {"body": None, "forward": {"chat": self.chat, "message": message}},
        ]
        for more in in_clear:
            params = {"chat": self.chat, "client_id": "1", "body": sealed(), **more}
            params = {name: value for name, value in params.items() if value is not None}
            code = "not_forwardable" if more.get("forward", {}).get("chat") == self.chat else "secure_only"
            self.refused(code, self.alice, "chat.send", **params)

    def test_what_is_done_to_them(self) -> None:
        """They are signed and chained: none takes the place of another one. Deleting leaves nothing."""
        about = {"chat": self.chat, "message": self.say(self.alice, self.chat)}
        self.refused("secure_only", self.bob, "message.react", **about, emoji="👍")
        for body in (sealed("YW5vdGhlcg"), {"kind": "text", "text": "hi"}):
            self.refused("not_editable", self.alice, "message.edit", **about, body=body)
        self.refused("not_yours", self.bob, "message.delete", **about)
        self.alice.call("chat.pin", **about)
        self.alice.call("message.delete", **about)
        page = self.bob.call("chat.history", chat=self.chat)["messages"]
        self.assertEqual([m["body"]["kind"] for m in page if m["body"]["kind"] != "notice"], ["deleted"])

    def test_about_it(self) -> None:
        chat = self.chat
        self.refused("secure_only", self.alice, "chat.settings.set", chat=chat, draft={"text": "hi"})
        self.alice.call("chat.settings.set", chat=chat, pinned=True)
        self.refused("secure_only", self.alice, "group.set", chat=chat, name="Divorce")
        self.refused("secure_only", self.alice, "group.set", chat=chat, about="of Bob")
        self.alice.call("group.set", chat=chat, earlier=True)
        self.refused("secure_only", self.alice, "group.link.reset", chat=chat)
        self.alice.call("group.link.revoke", chat=chat)
        self.assertIsNone(self.alice.call("group.link", chat=chat)["link"])

    def test_picture(self) -> None:
        about = {
            "chat": self.chat,
            "type": "image/png",
            "data": b64encode(encoded(drawn("RGB"), "PNG")).decode(),
        }
        self.refused("secure_only", self.alice, "group.avatar.set", **about)

    def test_elsewhere(self) -> None:
        """What is sealed is taken in no other chat."""
        own = direct_chat_id(AccountId(self.alice.account), AccountId(self.alice.account))
        direct = self.world.befriend(self.alice, self.eve)
        for chat in (direct, own, self.group(self.alice, self.bob)):
            self.refused("not_secure", self.alice, "chat.send", chat=chat, client_id="1", body=sealed())

    def test_forms(self) -> None:
        """As long as an envelope may be, and no longer; octets alone."""
        self.say(self.alice, self.chat, body=sealed("A" * LONGEST))
        [got] = self.bob.take("chat.message")
        self.assertEqual(len(got["params"]["body"]["data"]), LONGEST)
        self.assertEqual(len(self.chats(self.bob)[self.chat]["last"]["body"]["data"]), LONGEST)
        for body in (
            sealed("A" * (LONGEST + 1)),
            sealed(""),
            sealed("a b"),
            sealed("YQ=="),
            sealed(text="hi"),
        ):
            about = {"chat": self.chat, "client_id": "1", "body": body}
            self.refused("invalid_params", self.alice, "chat.send", **about)


class QuietTests(SecureCase):
    """What clients tell each other, and nobody reads."""

    def unread(self, client: Client, chat: str) -> int:
        return int(self.chats(client)[chat]["unread"])

    def test_unread(self) -> None:
        chat = self.group(self.alice, self.bob, **SECURE)
        self.say(self.alice, chat)
        self.say(self.alice, chat, body=sealed(quiet=True))
        self.assertEqual(self.unread(self.bob, chat), 1)
        self.say(self.bob, chat, body=sealed(quiet=True))  # which says nothing of what he has read
        self.assertEqual(self.unread(self.bob, chat), 1)
        self.assertTrue(self.chats(self.bob)[chat]["last"]["body"]["quiet"])
        self.say(self.bob, chat)
        self.assertEqual(self.unread(self.bob, chat), 0)

    def test_other_kinds(self) -> None:
        """A body of a kind that is not known may say what it likes of being quiet."""
        chat = self.group(self.alice, self.bob)
        for quiet in (True, "very", {"so": 1}):
            self.say(self.alice, chat, body={"kind": "later", "quiet": quiet})
        self.assertEqual(self.unread(self.bob, chat), 3)


class WakingTests(WakingCase):
    def test_quiet(self) -> None:
        """It wakes nobody; what is not quiet does."""
        about = {"client_id": "1", "invite": [self.bob.account], **SECURE}
        chat = self.alice.call("group.create", **about)["chat"]["chat"]
        self.come().call("group.accept", chat=chat)
        self.hold(self.bob)
        self.sleep()
        for number, quiet in enumerate((True, False)):
            about = {"chat": chat, "client_id": f"say {number}", "body": sealed(quiet=quiet)}
            self.alice.call("chat.send", **about)
            self.assertEqual(self.woken(), [] if quiet else [MESSAGE])
