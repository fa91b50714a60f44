"""Groups: made, joined by invitation alone, written into, left."""

from safeum_home.ids import system_account
from tests.group_case import GroupCase
from tests.world import NODE, World, texts


class CreationTests(GroupCase):
    def test_answer(self) -> None:
        """Whoever makes a group is its owner, finds it in the list, and is told nothing twice."""
        tablet = self.world.login("alice")
        for device in (tablet, self.alice):
            device.take()
        chat = self.create(self.alice, name="Walks", about="On Sundays")
        self.assertRegex(chat, "^![a-z2-7]{26}$")
        [(found, summary)] = self.chats(self.alice).items()
        self.assertEqual(found, chat)
        self.assertEqual(
            (summary["display_name"], summary["role"], summary["peer"]), ("Walks", "owner", None)
        )
        self.assertEqual((summary["unread"], summary["read"]), (0, summary["last"]["id"]))
        group = summary["group"]
        self.assertEqual((group["hub"], group["name"], group["about"]), (NODE, "Walks", "On Sundays"))
        self.assertEqual((group["members"], group["earlier"], group["avatar"]), (1, False, None))
        events = [event["method"] for event in tablet.take()]
        self.assertEqual(events, ["chat.updated", "group.member", "chat.message", "chat.receipt"])
        self.assertEqual([event["method"] for event in self.alice.take()], events)

    def test_idempotent(self) -> None:
        """For each device and client_id there is one group."""
        chat = self.create(self.alice, self.bob)
        self.assertEqual(self.create(self.alice, self.bob), chat)
        self.assertEqual(self.create(self.alice, self.bob, name="Other", client_id="group-Walks"), chat)
        again = World(self.world.database, self.world.vault)
        self.alice.world = again
        self.alice.resume()
        self.assertEqual(self.create(self.alice, self.bob), chat)
        self.assertEqual(len(self.chats(self.alice)), 1)
        self.assertNotEqual(self.create(self.alice, name="Third"), chat)
        self.alice.call("group.leave", chat=chat)

    def test_invitations_that_cannot_be(self) -> None:
        """Who has not the inviting one in its list is not invited; the group is there without."""
        params = {"client_id": "1", "name": "x", "invite": [self.bob.account, self.eve.account]}
        made = self.alice.call("group.create", **params)
        self.assertEqual(made["refused"], [{"account": self.eve.account, "code": "not_a_contact"}])
        self.assertEqual(set(self.roster(self.alice, made["chat"]["chat"])), {"alice", "bob"})
        self.assertEqual(self.eve.take("group.invited"), [])

    def test_names(self) -> None:
        """One line, with something in it."""
        for name in ("", " ", "a\nb", "a\x00", "x" * 65):
            self.refused("invalid_params", self.alice, "group.create", client_id="1", name=name)


class SentAgainTests(GroupCase):
    """Messages that are sent again, since their answers got lost, by somebody who was no member meanwhile."""

    def setUp(self) -> None:
        super().setUp()
        self.chat = self.group(self.alice, self.bob)
        self.about = self.bob.message(self.chat, "lost answer", "its-id")
        self.sent = self.bob.call("chat.send", **self.about)

    def again(self) -> tuple[bool, bool]:
        """Whether the answer names the message, and whether that is not to be shown; nothing is stored."""
        answer = self.bob.call("chat.send", **self.about)
        self.assertEqual(self.alice.history(self.chat).count("lost answer"), 1)
        self.assertEqual(set(answer) - {"id", "at", "erased"}, set())
        return answer["id"] == self.sent["id"], answer.get("erased", False)

    def test_left(self) -> None:
        """What was delivered was delivered; what was not is refused."""
        for go, who in (("group.leave", self.bob), ("group.remove", self.alice)):
            if who is self.alice:
                self.alice.call("group.invite", chat=self.chat, accounts=[self.bob.account])
                self.bob.call("group.accept", chat=self.chat)
            more = {} if who is self.bob else {"account": self.bob.account}
            who.call(go, chat=self.chat, **more)
            self.assertEqual(self.again(), (True, True))
            self.refused("not_a_contact", self.bob, "chat.send", **self.bob.message(self.chat, "late"))

    def test_in_again(self) -> None:
        """Who does not see it any more is not shown it; who sees what was written earlier is."""
        for earlier in (False, True):
            self.bob.call("group.leave", chat=self.chat)
            self.alice.call("group.set", chat=self.chat, earlier=earlier)
            self.alice.call("group.invite", chat=self.chat, accounts=[self.bob.account])
            self.bob.call("group.accept", chat=self.chat)
            self.assertEqual(self.again(), (True, not earlier))
            self.assertEqual(self.bob.history(self.chat), ["lost answer"] if earlier else [])

    def test_in_no_chat_of_others(self) -> None:
        """Nobody learns of a chat that is not his whether it is there, be it by a message that is gone."""
        other = self.group(self.alice, self.carol, name="Other")
        self.alice.call("chat.history.set", chat=self.chat, enabled=False)
        self.assertEqual(self.bob.call("chat.send", **self.about)["erased"], True)
        for chat in (other, "!" + "a" * 26):
            self.refused("not_a_contact", self.bob, "chat.send", **{**self.about, "chat": chat})

    def test_left_a_chat_without_history(self) -> None:
        """What is gone since all devices held it was delivered; of what was erased nothing is told."""
        self.world.domain.fleeting.start()
        self.alice.call("chat.history.set", chat=self.chat, enabled=False)
        self.world.settle(60)
        about = self.bob.message(self.chat, "gone soon", "another-id")
        sent = self.bob.call("chat.send", **about)
        for client in (self.alice, self.bob):
            client.notify("session.ack", cursor=self.world.cursor)
        self.world.settle(120)
        self.assertEqual(self.rows("events", self.chat), 0)
        self.bob.call("group.leave", chat=self.chat)
        again = self.bob.call("chat.send", **about)
        self.assertEqual((again["id"], again["erased"], again.get("before")), (sent["id"], True, None))
        self.refused("not_a_contact", self.bob, "chat.send", **self.about)
        self.world.domain.fleeting.stop()


class ComingTests(GroupCase):
    def test_invitation(self) -> None:
        """It names the group, who invites and how many are in it; nothing else is told before the answer."""
        cursor = self.world.cursor
        self.alice.call("profile.set", profile={"display_name": "Alice A."})
        self.bob.take()
        chat = self.create(self.alice, self.bob)
        [event] = self.bob.take()
        invitation = event["params"]["invitation"]
        self.assertEqual(event["method"], "group.invited")
        self.assertEqual(
            invitation,
            {
                "chat": chat,
                "name": "Walks",
                "about": "",
                "by": self.alice.account,
                "address": self.alice.address,
                "display_name": "Alice A.",
                "members": 1,
                "secure": False,
                "pair": False,
            },
        )
        self.assertEqual(self.bob.call("group.invitations")["invitations"], [invitation])
        self.alice.write(chat, "psst")
        self.assertEqual(self.bob.take(), [])
        self.assertEqual(self.chats(self.bob), {})
        for method in ("chat.history", "group.members", "group.leave"):
            self.refused("not_found", self.bob, method, chat=chat)
        self.refused("not_a_contact", self.bob, "chat.send", **self.bob.message(chat, "hi"))
        missed = self.bob.resume(cursor).take("group.invited", "group.member", "chat.updated", "chat.message")
        self.assertEqual([event["params"].get("invitation") for event in missed], [invitation])

    def test_joining(self) -> None:
        """A member from then on: told of the chat, of its own entry, and seen by the others."""
        chat = self.create(self.alice, self.bob, self.carol)
        self.alice.write(chat, "before")
        for client in (self.alice, self.bob):
            client.take()
        self.bob.call("group.accept", chat=chat)
        told = self.bob.take()
        self.assertEqual(
            [event["method"] for event in told],
            ["chat.updated", "group.member", "chat.message", "chat.receipt"],
        )
        self.assertEqual(told[0]["params"]["chat"]["group"]["members"], 2)
        member = told[1]["params"]
        self.assertEqual(
            (member["member"]["account"], member["member"]["state"]), (self.bob.account, "member")
        )
        self.assertEqual(member["members"], 2)
        notice = told[2]["params"]
        self.assertEqual(notice["sender"], system_account(NODE))
        self.assertEqual(
            notice["body"],
            {"kind": "notice", "action": "joined", "who": self.bob.account, "by": self.alice.account},
        )
        self.assertEqual([event["method"] for event in self.alice.take()], ["group.member", "chat.message"])
        self.assertEqual(self.bob.call("group.invitations")["invitations"], [])
        self.assertEqual(
            self.roster(self.bob, chat),
            {"alice": ("owner", "member"), "bob": ("member", "member"), "carol": ("member", "invited")},
        )
        page = self.bob.call("chat.history", chat=chat)
        self.assertEqual([m["body"]["kind"] for m in page["messages"]], ["notice"])
        self.bob.call("group.accept", chat=chat)
        self.assertEqual(self.alice.take(), [])

    def test_writing(self) -> None:
        """Everybody writes to everybody, whether or not they are contacts; unread counts no notices."""
        chat = self.group(self.alice, self.bob, self.carol)
        self.bob.write(chat, "hello")
        self.assertEqual(texts(self.carol.messages()), ["hello"])
        self.assertEqual(texts(self.alice.messages()), ["hello"])
        self.assertEqual(self.chats(self.carol)[chat]["unread"], 1)
        self.assertEqual(self.chats(self.bob)[chat]["unread"], 0)
        self.carol.call("chat.read", chat=chat, upto=self.chats(self.carol)[chat]["last"]["id"])
        self.assertEqual(self.chats(self.carol)[chat]["unread"], 0)
        self.assertEqual(self.bob.take("chat.receipt"), [])

    def test_decline(self) -> None:
        """It is over, and can be given again."""
        chat = self.create(self.alice, self.bob)
        self.bob.take()
        self.alice.take()
        self.bob.call("group.decline", chat=chat)
        for client in (self.alice, self.bob):
            [event] = client.take()
            self.assertEqual(event["params"]["member"]["state"], "left")
        self.refused("not_found", self.bob, "group.accept", chat=chat)
        self.refused("not_found", self.bob, "group.decline", chat=chat)
        self.alice.call("group.invite", chat=chat, accounts=[self.bob.account])
        self.bob.call("group.accept", chat=chat)
        self.assertEqual(self.roster(self.bob, chat)["bob"], ("member", "member"))

    def test_contacts_alone(self) -> None:
        """Strangers, those who blocked, and nobody at all look the same to who invites."""
        chat = self.create(self.alice)
        self.bob.call("contact.block", account=self.alice.account)
        nobody = "@" + "a" * 26 + ":" + NODE
        answers = [
            self.refused("not_a_contact", self.alice, "group.invite", chat=chat, accounts=[account])
            for account in (self.eve.account, self.bob.account, nobody)
        ]
        self.assertEqual(answers, [answers[0]] * 3)
        made = self.alice.call("group.invite", chat=chat, accounts=[self.eve.account, self.carol.account])
        self.assertEqual(made["refused"], [{"account": self.eve.account, "code": "not_a_contact"}])
        self.assertEqual(set(self.roster(self.alice, chat)), {"alice", "carol"})

    def test_a_member(self) -> None:
        """Whoever is there already is named as such; who is invited already is not."""
        chat = self.create(self.alice, self.bob)
        self.bob.call("group.accept", chat=chat)
        about = {"chat": chat, "accounts": [self.bob.account]}
        self.refused("wrong_member_state", self.alice, "group.invite", **about)
        for _ in range(2):
            about["accounts"] = [self.bob.account, self.carol.account]
            made = self.alice.call("group.invite", **about)
            self.assertEqual(made["refused"], [{"account": self.bob.account, "code": "wrong_member_state"}])
        self.assertEqual(self.roster(self.alice, chat)["carol"], ("member", "invited"))

    def test_earlier_history(self) -> None:
        """Where the group says so whoever joins sees all that was written; none of it is unread."""
        chat = self.create(self.alice, self.bob, earlier=True)
        self.alice.write(chat, "before")
        self.bob.call("group.accept", chat=chat)
        page = self.bob.call("chat.history", chat=chat)["messages"]
        self.assertEqual([m["body"].get("text") for m in page], [None, "before", None])
        self.assertEqual(self.chats(self.bob)[chat]["unread"], 0)


class GoingTests(GroupCase):
    def test_leaving(self) -> None:
        """Nothing is told any more, and nothing can be read or written; coming back takes an invitation."""
        chat = self.group(self.alice, self.bob, self.carol)
        self.bob.call("group.leave", chat=chat)
        [event] = self.bob.take()
        self.assertEqual((event["method"], event["params"]["member"]["state"]), ("group.member", "left"))
        self.assertEqual([e["method"] for e in self.alice.take()], ["group.member", "chat.message"])
        self.alice.write(chat, "gone?")
        self.assertEqual(self.bob.take(), [])
        self.assertEqual(self.chats(self.bob), {})
        self.refused("not_found", self.bob, "chat.history", chat=chat)
        self.refused("not_found", self.bob, "group.accept", chat=chat)
        self.refused("not_a_contact", self.bob, "chat.send", **self.bob.message(chat, "hi"))
        self.alice.call("group.invite", chat=chat, accounts=[self.bob.account])
        self.bob.call("group.accept", chat=chat)
        self.assertEqual(
            [m["body"]["kind"] for m in self.bob.call("chat.history", chat=chat)["messages"]], ["notice"]
        )

    def test_ownership_passes_on(self) -> None:
        """To the admin of the longest standing, else to the member."""
        chat = self.group(self.alice, self.bob, self.carol)
        self.alice.call("group.role", chat=chat, account=self.carol.account, role="admin")
        self.alice.call("group.leave", chat=chat)
        self.assertEqual(
            self.roster(self.bob, chat), {"carol": ("owner", "member"), "bob": ("member", "member")}
        )
        self.assertEqual(self.notices(self.bob), ["admin", "left", "owner"])
        self.carol.call("group.leave", chat=chat)
        self.assertEqual(self.roster(self.bob, chat), {"bob": ("owner", "member")})

    def test_removing(self) -> None:
        """Who is removed is told so, and nothing else from then on."""
        chat = self.group(self.alice, self.bob, self.carol)
        self.alice.call("group.remove", chat=chat, account=self.bob.account)
        [event] = self.bob.take()
        self.assertEqual(event["params"]["member"]["state"], "removed")
        self.assertEqual(self.notices(self.carol), ["removed"])
        self.carol.write(chat, "he is gone")
        self.assertEqual(self.bob.take(), [])
        self.refused("wrong_member_state", self.alice, "group.remove", chat=chat, account=self.bob.account)

    def test_taking_an_invitation_back(self) -> None:
        """It is over for whoever was invited."""
        chat = self.create(self.alice, self.bob)
        self.bob.take()
        self.alice.call("group.remove", chat=chat, account=self.bob.account)
        [event] = self.bob.take()
        self.assertEqual(event["params"]["member"]["state"], "removed")
        self.refused("not_found", self.bob, "group.accept", chat=chat)
        self.assertEqual(self.bob.call("group.invitations")["invitations"], [])

    def test_devices_learn_of_the_end(self) -> None:
        """Those of who left last, and of who was invited, also where they were away; then nothing is left."""
        tablet = self.world.login("alice")
        chat = self.create(self.alice, self.bob)
        self.alice.call("group.invite", chat=chat, accounts=[self.carol.account])
        cursor = self.world.cursor
        for client in (tablet, self.bob, self.carol):
            client.take()
        self.carol.drop()
        self.alice.call("group.leave", chat=chat)
        live = [client.take() for client in (tablet, self.bob)]
        away = [client.resume(cursor).take("group.member", "group.invited") for client in (tablet, self.bob)]
        self.assertEqual(live, away)
        told = [
            events[0]["params"]["member"]["state"]
            for events in (*live, self.carol.resume(cursor).take("group.member"))
        ]
        self.assertEqual(told, ["left", "removed", "removed"])
        self.world.settle(5)
        self.assertEqual(self.carol.call("group.invitations")["invitations"], [])

    def test_the_last_one(self) -> None:
        """With its last member a group is erased: its key, its messages, its roster."""
        chat = self.group(self.alice, self.bob)
        self.alice.write(chat, "x")
        self.bob.call("group.leave", chat=chat)
        self.create(self.alice, name="stays")
        events = self.world.database.count("events")
        self.alice.call("group.leave", chat=chat)
        self.world.settle(5)
        for table in ("chats", "members", "roster", "events"):
            found = self.rows(table, chat)
            self.assertEqual(found, 0, table)
        self.assertLess(self.world.database.count("events"), events)
        self.assertEqual(self.world.database.count("erasing"), 0)
        self.assertEqual([one["display_name"] for one in self.chats(self.alice).values()], ["stays"])
