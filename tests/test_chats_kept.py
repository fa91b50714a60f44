"""Pins, which are for all, and what an account sets for a chat, which is for its own devices."""

from typing import Any

from tests.changes_case import ChangeCase, Group


class PinTests(ChangeCase):
    def pins(self, chat: str = "") -> list[str]:
        listed = self.bob.call("chat.list")["chats"]
        return list(next(each for each in listed if each["chat"] == (chat or self.chat))["pinned"])

    def test_pinned_for_all(self) -> None:
        """Both sides can, and are told; the one pinned last is the last."""
        second = self.alice.write(self.chat, "b")["id"]
        self.bob.call("chat.pin", **self.about(second))
        self.alice.call("chat.pin", **self.about())
        events = [event["params"]["chat"]["pinned"] for event in self.alice.take("chat.updated")]
        self.assertEqual(events, [[second], [second, self.sent]])
        self.assertEqual(self.pins(), [second, self.sent])
        pinned = self.bob.call("chat.pinned", chat=self.chat)
        self.assertEqual([each["id"] for each in pinned["messages"]], [second, self.sent])
        self.bob.call("chat.unpin", **self.about(second))
        self.assertEqual(self.pins(), [self.sent])

    def test_sent_again(self) -> None:
        """Pinning what is pinned changes nothing, nor does the reverse."""
        self.alice.call("chat.pin", **self.about())
        self.alice.take()
        self.alice.call("chat.pin", **self.about())
        self.alice.call("chat.unpin", **self.about(self.world.cursor))
        self.assertEqual(self.alice.take("chat.updated"), [])

    def test_at_once(self) -> None:
        """Two that cross are both pinned: neither undoes the other. A deletion takes its pin away."""
        second = self.alice.write(self.chat, "b")["id"]
        third = self.alice.write(self.chat, "c")["id"]
        self.alice.call("chat.pin", **self.about(third))
        self.world.database.hold = True
        numbers = [
            self.alice.ask("chat.pin", **self.about()),
            self.alice.ask("chat.pin", **self.about(second)),
            self.alice.ask("message.delete", **self.about(third)),
        ]
        self.world.database.hold = False
        for _ in range(3):
            self.world.database.release()
        self.assertEqual([self.alice.answer(number) for number in numbers], [{}, {}, {}])
        self.assertEqual(self.pins(), [self.sent, second])

    def test_missed(self) -> None:
        """Who was away is told once what is pinned now."""
        since = self.world.cursor
        self.bob.drop()
        self.alice.call("chat.pin", **self.about())
        second = self.alice.write(self.chat, "b")["id"]
        self.alice.call("chat.pin", **self.about(second))
        self.alice.call("message.delete", **self.about())
        self.bob.resume(since)
        told = [event["params"]["chat"]["pinned"] for event in self.bob.take("chat.updated")]
        self.assertEqual(told, [[second]])

    def test_no_more_than_twenty(self) -> None:
        """And a page of long ones is followed by another."""
        sent = [self.alice.write(self.chat, "\u0001" * 4000)["id"] for _ in range(20)]
        for message in sent:
            self.alice.call("chat.pin", **self.about(message))
        self.refused("too_many_pins", self.alice, "chat.pin", **self.about())
        found: list[str] = []
        after: str | None = None
        while after is not None or not found:
            page = self.bob.call("chat.pinned", chat=self.chat, after=after)
            found += [each["id"] for each in page["messages"]]
            after = page["next"]
        self.assertEqual(found, sent)

    def test_who_may(self) -> None:
        """In a group its owner; nobody who is not in the chat, or may not write there."""
        group = Group(self.world, self.alice, self.bob)
        sent = self.bob.write(group.id, "x")["id"]
        about = {"chat": group.id, "message": sent}
        self.refused("not_permitted", self.bob, "chat.pin", **about)
        self.alice.call("chat.pin", **about)
        self.assertEqual(self.pins(group.id), [sent])
        self.refused("not_permitted", self.bob, "chat.unpin", **about)
        eve = self.world.register("eve")
        self.refused("not_found", eve, "chat.pin", **self.about())
        self.alice.call("contact.block", account=self.bob.account)
        self.refused("not_a_contact", self.bob, "chat.pin", **self.about())

    def test_who_joined_later(self) -> None:
        """A pinned message from before somebody came is not shown to him."""
        group = Group(self.world, self.alice)
        sent = self.alice.write(group.id, "x")["id"]
        self.alice.call("chat.pin", chat=group.id, message=sent)
        group.join(self.bob)
        self.assertEqual(self.bob.call("chat.pinned", chat=group.id)["messages"], [])


class SettingsTests(ChangeCase):
    def setUp(self) -> None:
        super().setUp()
        self.tablet = self.world.login("alice")
        self.world.settle()
        for device in (self.alice, self.tablet):
            device.take()

    def keep(self, **params: Any) -> dict[str, Any]:
        kept = self.alice.call("chat.settings.set", chat=self.chat, **params)["settings"]
        return dict(kept)

    def told(self) -> list[dict[str, Any]]:
        return [event["params"]["settings"] for event in self.tablet.take("chat.settings")]

    def test_own_devices_alone(self) -> None:
        """All of them are told, and find it in the list; the other side learns nothing."""
        draft = {"text": "dear", "reply_to": self.sent}
        kept = self.keep(muted_until=7, pinned=True, draft=draft)
        self.assertEqual(kept, {"muted_until": 7, "pinned": True, "draft": draft})
        self.assertEqual(self.told(), [kept])
        listed = {each["chat"]: each["settings"] for each in self.tablet.call("chat.list")["chats"]}
        self.assertEqual(listed[self.chat], kept)
        listed = {each["chat"]: each["settings"] for each in self.bob.call("chat.list")["chats"]}
        self.assertIsNone(listed[self.chat])
        self.assertEqual(self.bob.take("chat.settings"), [])

    def test_what_is_left_out_stays(self) -> None:
        """And null takes away; setting the same again tells nobody."""
        self.keep(muted_until=7, draft={"text": "dear"})
        self.assertEqual(
            self.keep(pinned=True), {"muted_until": 7, "pinned": True, "draft": {"text": "dear"}}
        )
        self.assertEqual(self.keep(draft=None, muted_until=None), {"pinned": True})
        self.tablet.take()
        self.keep(pinned=True)
        self.assertEqual(self.told(), [])
        self.assertEqual(self.keep(pinned=False, draft={"text": ""}), {})
        listed = {each["chat"]: each["settings"] for each in self.tablet.call("chat.list")["chats"]}
        self.assertIsNone(listed[self.chat])

    def test_archived(self) -> None:
        """It names the last message, so that any device sees when a newer one has come."""
        self.assertEqual(self.keep(archived=True), {"archived": self.sent})
        second = self.alice.write(self.chat, "b")["id"]
        self.assertEqual(self.keep(archived=True), {"archived": second})
        self.assertEqual(self.keep(archived=False), {})

    def test_missed(self) -> None:
        """Latest wins."""
        since = self.world.cursor
        self.tablet.drop()
        for words in ("a", "b", "c"):
            self.keep(draft={"text": words})
        self.tablet.resume(since)
        self.assertEqual(self.told(), [{"draft": {"text": "c"}}])

    def test_bounds(self) -> None:
        """A chat that one is in, a draft of some length, a message's id."""
        eve = self.world.register("eve")
        self.refused("not_found", eve, "chat.settings.set", chat=self.chat, pinned=True)
        about = {"chat": self.chat}
        for draft in ({"text": "x" * 4097}, {"text": "x", "reply_to": "x"}, {"text": "x", "more": 1}, "x"):
            self.refused("invalid_params", self.alice, "chat.settings.set", **about, draft=draft)
        wrong = {"text": "x", "reply_to": "A" * 22}
        self.refused("invalid_cursor", self.alice, "chat.settings.set", **about, draft=wrong)
        for muted in (-1, 2**53, "x", 1.5):
            self.refused("invalid_params", self.alice, "chat.settings.set", **about, muted_until=muted)
        self.assertEqual(self.world.database.count("settings"), 0)

    def test_long_drafts_fit_a_list(self) -> None:
        """The longest drafts of many chats make the pages of the list shorter, and lose none."""
        for number in range(6):
            friend = self.world.register(f"friend-{number}")
            chat = self.world.befriend(self.alice, friend)
            self.alice.write(chat, "x")
            self.alice.call("chat.settings.set", chat=chat, draft={"text": "\u0001" * 4096})
        drafts, before = 0, None
        while True:
            page = self.alice.call("chat.list", before=before)
            drafts += sum(each["settings"] is not None for each in page["chats"])
            before = page["next"]
            if before is None:
                break
        self.assertEqual(drafts, 6)

    def test_sealed_for_its_place(self) -> None:
        """Moved to another chat's row it opens no more, and the list is there without it."""
        carol = self.world.register("carol")
        other = self.world.befriend(self.alice, carol)
        self.alice.write(other, "x")
        self.keep(draft={"text": "secret"})
        blind = self.world.vault.blinder.chat
        self.world.database.execute(
            "UPDATE settings SET chat = ? WHERE chat = ?",
            blind(other),  # type: ignore[arg-type]
            blind(self.chat),  # type: ignore[arg-type]
        )
        listed = {each["chat"]: each["settings"] for each in self.alice.call("chat.list")["chats"]}
        self.assertIsNone(listed[other])
        self.assertIsNone(listed[self.chat])
