"""A device that was away while its account left a group, or was removed, and came back: nothing old stays."""

from typing import Any

from safeum_home.chats import backlog
from safeum_home.storage import group_endings
from tests.group_case import GroupCase
from tests.sdk_world import SdkDevice
from tests.world import Client


class AwayCase(GroupCase):
    def setUp(self) -> None:
        super().setUp()
        self.tablet = self.world.login("bob")

    def places(self, events: list[dict[str, Any]], chat: str) -> list[str]:
        """What is told of Bob's own place in a group, and of the group, in order."""
        found = []
        for event in events:
            params = event["params"]
            match event["method"]:
                case "group.member" if params["chat"] == chat:
                    if params["member"]["account"] == self.bob.account:
                        found.append(params["member"]["state"])
                case "group.invited" if params["invitation"]["chat"] == chat:
                    found.append("invited")
                case "chat.updated" if params["chat"]["chat"] == chat:
                    found.append("updated")
                case "chat.message" if params["chat"] == chat and params["body"]["kind"] == "text":
                    found.append(params["body"]["text"])
        return found

    def missed(self, chat: str, since: str) -> list[str]:
        """What a device is told that comes back."""
        self.tablet.take()
        return self.places(self.tablet.resume(since).take(), chat)

    def leave(self, chat: str) -> None:
        self.bob.call("group.leave", chat=chat)

    def remove(self, chat: str) -> None:
        self.alice.call("group.remove", chat=chat, account=self.bob.account)

    def invite(self, chat: str) -> None:
        self.alice.call("group.invite", chat=chat, accounts=[self.bob.account])

    def come(self, chat: str) -> None:
        self.invite(chat)
        self.bob.call("group.accept", chat=chat)


class EventTests(AwayCase):
    """The events that a device is sent."""

    def test_left_and_in_again(self) -> None:
        """It is told that the first time is over, where that was, and then of the second."""
        chat = self.group(self.alice, self.bob)
        self.alice.write(chat, "before")
        since = self.world.cursor
        self.alice.write(chat, "meanwhile")
        self.leave(chat)
        self.alice.write(chat, "without him")
        self.come(chat)
        self.alice.write(chat, "after")
        self.assertEqual(self.missed(chat, since), ["left", "updated", "member", "after"])

    def test_one_that_saw_it_leave(self) -> None:
        """A device that was told once is not told again."""
        chat = self.group(self.alice, self.bob)
        self.leave(chat)
        since = self.world.cursor
        self.come(chat)
        self.assertEqual(self.missed(chat, since), ["updated", "member"])
        since = self.world.cursor
        self.alice.call("group.role", chat=chat, account=self.bob.account, role="admin")
        self.assertEqual(self.missed(chat, since), ["member"])

    def test_removed_and_invited_again(self) -> None:
        """The chat is gone, though the account has not answered yet."""
        chat = self.group(self.alice, self.bob)
        since = self.world.cursor
        self.remove(chat)
        self.invite(chat)
        self.assertEqual(self.missed(chat, since), ["removed", "invited"])

    def test_declined_and_invited_again(self) -> None:
        """One invitation is over, and the other one is there."""
        chat = self.create(self.alice, self.bob)
        since = self.world.cursor
        self.bob.call("group.decline", chat=chat)
        self.assertEqual(self.missed(chat, since), ["left"])
        self.invite(chat)
        self.assertEqual(self.missed(chat, since), ["left", "invited"])
        self.remove(chat)
        self.invite(chat)
        self.assertEqual(self.missed(chat, since), ["removed", "invited"])
        self.bob.call("group.accept", chat=chat)
        self.assertEqual(self.missed(chat, since), ["removed", "updated", "member"])

    def test_several_times(self) -> None:
        """Of many comings and goings the last counts, wherever the device was then."""
        chat = self.group(self.alice, self.bob)
        since = [self.world.cursor]
        for number in range(3):
            self.leave(chat)
            since.append(self.world.cursor)
            self.come(chat)
            self.alice.write(chat, f"text {number}")
            since.append(self.world.cursor)
        for cursor in since[:5]:
            self.assertEqual(self.missed(chat, cursor), ["left", "updated", "member", "text 2"])
        self.assertEqual(self.missed(chat, since[5]), ["updated", "member", "text 2"])
        self.assertEqual(self.missed(chat, since[6]), [])
        self.assertEqual(self.world.database.count("endings"), 1)

    def test_never_in(self) -> None:
        """Who has come for the first time is told of that alone; what was before is asked for."""
        chat = self.create(self.alice, self.bob, earlier=True)
        since = self.world.cursor
        self.alice.write(chat, "before")
        self.bob.call("group.accept", chat=chat)
        self.alice.write(chat, "after")
        self.assertEqual(self.missed(chat, since), ["updated", "member", "after"])
        self.assertIn("before", self.bob.history(chat))

    def test_with_earlier_history(self) -> None:
        """What was written before it came back is asked for, as by a device that was there."""
        chat = self.group(self.alice, self.bob, earlier=True)
        first = self.alice.write(chat, "first")["id"]
        since = self.world.cursor
        self.alice.write(chat, "second")
        self.leave(chat)
        self.alice.write(chat, "third")
        self.alice.call("message.edit", chat=chat, message=first, body={"kind": "text", "text": "edited"})
        self.come(chat)
        self.alice.write(chat, "fourth")
        self.tablet.take()
        events = self.tablet.resume(since).take()
        self.assertEqual(self.places(events, chat), ["left", "updated", "member", "fourth"])
        self.assertNotIn("chat.changed", [event["method"] for event in events])
        self.assertEqual(self.tablet.history(chat), ["edited", "second", "third", "fourth"])

    def test_changed_after_it_came_back(self) -> None:
        """What a chat became is told where that was: the place of its account comes first."""
        chat = self.group(self.alice, self.bob)
        since = self.world.cursor
        self.remove(chat)
        self.alice.call("chat.history.set", chat=chat, enabled=False)
        self.world.settle(60)
        self.come(chat)
        self.alice.call("group.set", chat=chat, name="Runs")
        self.assertEqual(self.missed(chat, since), ["removed", "member", "updated"])

    def test_erased_meanwhile(self) -> None:
        """Who left first, or was removed, is told of that also of a group of which nothing is left."""
        for last in ("leave", "remove"):
            chat = self.group(self.alice, self.bob, name=last)
            since = self.world.cursor
            getattr(self, last)(chat)
            self.alice.call("group.leave", chat=chat)
            self.world.settle(60)
            self.assertEqual(self.rows("roster", chat), 0)
            expected = "left" if last == "leave" else "removed"
            self.assertEqual(self.missed(chat, since), [expected])

    def test_pages(self) -> None:
        """However small the pages are in which it is sent what it missed."""
        self.patch(backlog, "PAGE", 1)
        chats = [self.group(self.alice, self.bob, name=f"group {number}") for number in range(3)]
        since = self.world.cursor
        for leave in (self.leave, self.remove):
            for chat in chats:
                self.alice.write(chat, "lost")
                leave(chat)
                self.come(chat)
                self.alice.write(chat, "kept")
        self.bob.call("group.leave", chat=chats[2])
        self.tablet.take()
        self.tablet.resume(since)
        self.world.settle(10)
        events = self.tablet.take()
        for chat in chats[:2]:
            self.assertEqual(self.places(events, chat), ["removed", "updated", "member", "kept"])
        self.assertEqual(self.places(events, chats[2]), ["left"])

    def test_those_who_left_are_forgotten(self) -> None:
        """It makes no difference how often the account was invited into another group meanwhile."""
        self.patch(group_endings, "_FORGET", group_endings.forget(2))
        chat = self.group(self.alice, self.bob, self.carol)
        other = self.create(self.alice, name="Other")
        since = self.world.cursor
        self.leave(chat)
        for _ in range(5):
            self.invite(other)
            self.remove(other)
        self.come(chat)
        self.assertEqual(self.missed(chat, since), ["left", "updated", "member"])

    def test_members_learn_of_it(self) -> None:
        """A member's device that was away is told what the other one is now."""
        chat = self.group(self.alice, self.bob, self.carol)
        since = self.world.cursor
        self.leave(chat)
        self.come(chat)
        self.carol.take()
        events = self.carol.resume(since).take("group.member")
        self.assertEqual([event["params"]["member"]["state"] for event in events], ["member"])


class SdkTests(AwayCase):
    """What a client shows then."""

    def setUp(self) -> None:
        super().setUp()
        self.away = SdkDevice(self.world).login("bob")

    def back(self, asking: Client, chat: str) -> list[str]:
        """What the device shows of a chat, which is what another one that begins now is shown of it."""
        self.away.back()
        fresh = SdkDevice(self.world).login("bob")
        mine, theirs = self.away.client.state, fresh.client.state
        shown = [
            [(view.chat, view.unread, view.read, view.last, view.group, view.role) for view in state.chats]
            for state in (mine, theirs)
        ]
        self.assertEqual(shown[0], shown[1])
        held = self.away.texts(chat)
        self.assertEqual(held, asking.history(chat)[-len(held) :] if held else [])
        return held

    def test_what_it_may_no_longer_see(self) -> None:
        """Nothing of the time before stays on it."""
        for number, go in enumerate((self.leave, self.remove)):
            chat = self.group(self.alice, self.bob, name=f"group {number}")
            self.alice.write(chat, "secret")
            self.world.settle(1)
            self.assertEqual(self.away.texts(chat), ["secret"])
            self.away.drop()
            go(chat)
            self.alice.write(chat, "not for him")
            self.come(chat)
            self.alice.write(chat, "welcome")
            self.assertEqual(self.back(self.bob, chat), ["welcome"])
            self.assertEqual(self.bob.history(chat), ["welcome"])

    def test_invited_only(self) -> None:
        """The chat is gone, and the invitation is there."""
        chat = self.group(self.alice, self.bob)
        self.alice.write(chat, "secret")
        self.world.settle(1)
        self.away.drop()
        self.remove(chat)
        self.invite(chat)
        self.away.back()
        self.assertIsNone(self.away.client.state.chat(chat))
        self.assertEqual(list(self.away.client.state.groups.invitations), [chat])

    def test_erased(self) -> None:
        """So is one of which nothing is left on the node."""
        chat = self.group(self.alice, self.bob)
        self.alice.write(chat, "secret")
        self.world.settle(1)
        self.away.drop()
        self.leave(chat)
        self.alice.call("group.leave", chat=chat)
        self.away.back()
        self.assertIsNone(self.away.client.state.chat(chat))
