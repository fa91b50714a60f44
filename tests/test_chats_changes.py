"""Messages are edited and deleted for all: whoever was there is told, and whoever comes later finds it so."""

from tests.changes_case import ChangeCase, Group, text


class EditTests(ChangeCase):
    """Its author changes a message."""

    def test_both_sides_are_told(self) -> None:
        """All devices get the message as it is now, that of the author too, and so does who asks later."""
        tablet = self.world.login("alice")
        tablet.take()
        self.world.clock.advance(5)
        self.edit(self.alice, "ho")
        [event] = self.changed(self.bob)
        self.assertEqual(event["message"]["body"], text("ho"))
        self.assertEqual(event["message"]["edited"], event["message"]["at"] + 5000)
        self.assertEqual(event["by"], self.alice.account)
        self.assertEqual(self.changed(self.alice), [event])
        self.assertEqual(self.changed(tablet), [event])
        self.assertEqual(self.page(self.bob), [event["message"]])
        [shown] = [each for each in self.bob.call("chat.list")["chats"] if each["chat"] == self.chat]
        self.assertEqual(shown["last"], event["message"])

    def test_the_old_text_is_gone(self) -> None:
        """The row is another one, and the old one opens nowhere: nothing else holds it."""
        rows = self.world.database.count("events")
        before = self.world.database.now(
            lambda c: c.exec_driver_sql(
                "SELECT sealed FROM events ORDER BY position DESC LIMIT 1"
            ).scalar_one()
        )
        self.edit(self.alice, "ho")
        stored = self.world.database.now(
            lambda c: [row[0] for row in c.exec_driver_sql("SELECT sealed FROM events").all()]
        )
        self.assertEqual(len(stored), rows)
        self.assertNotIn(before, stored)

    def test_sent_again(self) -> None:
        """The same edit once more is answered, and nobody is told a second time."""
        self.edit(self.alice, "ho")
        self.bob.take()
        self.world.clock.advance(3 * 86400)
        self.edit(self.alice, "ho")
        self.assertEqual(self.changed(self.bob), [])
        self.assertEqual(self.page(self.bob)[0]["edited"], self.page(self.bob)[0]["at"])

    def test_only_its_author(self) -> None:
        """Nobody else changes a message, be it that he could see it."""
        self.refused("not_yours", self.bob, "message.edit", **self.about(body=text("x")))
        eve = self.world.register("eve")
        self.refused("not_found", eve, "message.edit", **self.about(body=text("x")))
        self.assertEqual(self.page(self.bob)[0]["body"], text("hi"))

    def test_in_time(self) -> None:
        """After two days a message stays what it is."""
        self.world.clock.advance(48 * 3600)
        self.edit(self.alice, "a")
        self.world.clock.advance(1)
        self.refused("edit_over", self.alice, "message.edit", **self.about(body=text("b")))

    def test_no_consent(self) -> None:
        """Who was blocked reaches nobody by changing what was sent before; deleting it stays possible."""
        self.bob.call("contact.block", account=self.alice.account)
        self.refused("not_a_contact", self.alice, "message.edit", **self.about(body=text("x")))
        self.refused("not_a_contact", self.alice, "message.react", **self.about(emoji="👍"))
        self.delete(self.alice)
        self.assertEqual([each["message"]["body"]["kind"] for each in self.changed(self.bob)], ["deleted"])

    def test_what_is_not_there(self) -> None:
        """A message of another chat, one of the future and none at all are no messages of this chat."""
        carol = self.world.register("carol")
        other = self.world.befriend(self.alice, carol)
        elsewhere = self.alice.write(other, "x")["id"]
        future = self.world.vault.cursors.encode(10_000)
        for message in (elsewhere, future, self.world.cursor):
            for method, more in (("message.edit", {"body": text("x")}), ("message.delete", {})):
                self.refused("message_gone", self.alice, method, **self.about(message, **more))
        self.refused("invalid_cursor", self.alice, "message.delete", **self.about("A" * 22))

    def test_what_cannot_be_edited(self) -> None:
        """A body of another kind, what the node writes, a copy of what somebody else has written."""
        alert = {"kind": "login_alert", "device": "D" + "a" * 16, "name": "x", "system": "x", "at": 0}
        for body in (alert, {"kind": "deleted", "by": self.alice.account, "at": 1}, {"kind": "poll"}):
            self.refused("not_editable", self.alice, "message.edit", **self.about(body=body))
        system = next(each for each in self.alice.call("chat.list")["chats"] if each["kind"] == "system")
        about = {"chat": system["chat"], "message": system["last"]["id"]}
        self.refused("not_yours", self.alice, "message.edit", **about, body=text("x"))
        self.refused("not_yours", self.alice, "message.delete", **about)
        source = {"chat": self.chat, "message": self.sent}
        copy = self.bob.call("chat.send", chat=self.chat, client_id="c", forward=source)["id"]
        self.refused("not_editable", self.bob, "message.edit", **self.about(copy, body=text("x")))

    def test_a_kind_that_is_not_known(self) -> None:
        """Its author changes it to another of the same kind."""
        body = {"kind": "poll", "text": "a?"}
        poll = self.alice.call("chat.send", chat=self.chat, client_id="p", body=body)["id"]
        self.alice.call("message.edit", **self.about(poll, body={"kind": "poll", "text": "b?"}))
        self.assertEqual(self.changed(self.bob)[0]["message"]["body"], {"kind": "poll", "text": "b?"})
        self.refused("not_editable", self.alice, "message.edit", **self.about(poll, body={"kind": "quiz"}))
        self.refused("not_editable", self.alice, "message.edit", **self.about(poll, body=text("x")))

    def test_mentions(self) -> None:
        """They stay unless others are given, which have to be members."""
        about = {"chat": self.chat, "client_id": "m", "body": text("x"), "mentions": [self.bob.account]}
        sent = self.alice.call("chat.send", **about)["id"]
        self.edit(self.alice, "y", sent)
        self.assertEqual(self.page(self.bob)[-1]["mentions"], [self.bob.account])
        self.alice.call("message.edit", **self.about(sent, body=text("y"), mentions=[]))
        self.assertNotIn("mentions", self.page(self.bob)[-1])
        eve = self.world.register("eve")
        wrong = self.about(sent, body=text("y"), mentions=[eve.account])
        self.refused("not_a_member", self.alice, "message.edit", **wrong)


class DeleteTests(ChangeCase):
    """A message is deleted for all."""

    def test_a_stub_stays(self) -> None:
        """Nothing is left but who wrote when, and who deleted it when."""
        about = {"chat": self.chat, "client_id": "m", "body": text("secret"), "reply_to": self.sent}
        sent = self.alice.call("chat.send", **about, mentions=[self.bob.account])
        self.react(self.bob, "👍", sent["id"])
        self.edit(self.alice, "more secret", sent["id"])
        self.bob.take()
        self.delete(self.alice, sent["id"])
        [event] = self.changed(self.bob)
        now = int(self.world.clock.seconds() * 1000)
        stub = {
            "id": sent["id"],
            "chat": self.chat,
            "sender": self.alice.account,
            "at": sent["at"],
            "body": {"kind": "deleted", "by": self.alice.account, "at": now},
        }
        self.assertEqual(event["message"], stub)
        self.assertEqual(self.page(self.bob)[-1], stub)
        self.assertEqual(self.world.database.count("reactions"), 0)

    def test_sent_again(self) -> None:
        """Deleting what is deleted is answered, and nobody is told."""
        self.delete(self.alice)
        self.bob.take()
        self.delete(self.alice)
        self.assertEqual(self.changed(self.bob), [])

    def test_nothing_is_done_with_a_stub(self) -> None:
        """It is neither edited nor reacted to nor pinned nor forwarded; and it keeps its `client_id`."""
        about = self.alice.message(self.chat, "x", "once")
        sent = self.alice.call("chat.send", **about)
        self.delete(self.alice, sent["id"])
        for method, more in (("edit", {"body": text("x")}), ("react", {"emoji": "👍"})):
            self.refused("message_gone", self.alice, f"message.{method}", **self.about(sent["id"], **more))
        self.refused("message_gone", self.alice, "chat.pin", **self.about(sent["id"]))
        source = {"chat": self.chat, "message": sent["id"]}
        self.refused("not_forwardable", self.bob, "chat.send", chat=self.chat, client_id="f", forward=source)
        self.assertEqual(self.alice.call("chat.send", **about), sent)

    def test_the_other_side_cannot(self) -> None:
        """In a direct chat a message is its author's alone."""
        self.refused("not_yours", self.bob, "message.delete", **self.about())

    def test_groups(self) -> None:
        """The owner deletes anybody's message there, a member its own only."""
        carol = self.world.register("carol")
        group = Group(self.world, self.alice, self.bob, carol)
        first, second = (self.bob.write(group.id, words)["id"] for words in ("a", "b"))
        carol.take()
        about = {"chat": group.id, "message": first}
        self.refused("not_yours", carol, "message.delete", **about)
        self.alice.call("message.delete", **about)
        self.bob.call("message.delete", chat=group.id, message=second)
        self.refused("message_gone", self.alice, "message.edit", **about, body=text("x"))
        stubs = [event["message"]["body"]["by"] for event in self.changed(carol)]
        self.assertEqual(stubs, [self.alice.account, self.bob.account])

    def test_a_roster_row_alone_makes_no_admin(self) -> None:
        """Whoever writes the database cannot make a member an admin: what is not sealed so is none."""
        group = Group(self.world, self.alice, self.bob)
        sent = self.alice.write(group.id, "a")["id"]
        mine, hers = (
            self.world.vault.blinder.account(client.account)  # type: ignore[arg-type]
            for client in (self.bob, self.alice)
        )
        self.world.database.execute(
            "UPDATE roster SET sealed = (SELECT sealed FROM roster WHERE account = ?) WHERE account = ?",
            hers,
            mine,
        )
        self.refused("not_found", self.bob, "message.delete", chat=group.id, message=sent)


class MissedTests(ChangeCase):
    """A device that was away."""

    def test_each_once_as_it_is_now(self) -> None:
        """However often a message has changed, it comes once, and with one's own reaction."""
        self.react(self.bob, "👍")
        since = self.bob.take()[-1]["params"]["cursor"]
        self.bob.drop()
        self.world.settle()
        self.react(self.alice, "👍")
        for words in ("a", "b", "c"):
            self.edit(self.alice, words)
        self.bob.resume(since)
        [event] = self.changed(self.bob)
        self.assertEqual(event["message"]["body"], text("c"))
        self.assertEqual(event["message"]["mine"], "👍")
        self.assertEqual(event["reacted"], {"account": self.bob.account, "emoji": "👍"})
        self.assertNotIn("by", event)
        self.assertEqual(event["message"], self.page(self.bob)[0])

    def test_new_and_changed(self) -> None:
        """A message that is new too comes as it is now, and as a change after that: both say the same."""
        since = self.world.cursor
        self.bob.drop()
        sent = self.alice.write(self.chat, "x")["id"]
        self.edit(self.alice, "y", sent)
        gone = self.alice.write(self.chat, "z")["id"]
        self.delete(self.alice, gone)
        self.bob.resume(since)
        events = self.bob.take("chat.message", "chat.changed")
        self.assertEqual(
            [(each["method"], each["params"].get("message", each["params"])["id"]) for each in events],
            [
                ("chat.message", sent),
                ("chat.changed", sent),
                ("chat.message", gone),
                ("chat.changed", gone),
            ],
        )
        bodies = [each["params"].get("message", each["params"])["body"] for each in events]
        self.assertEqual(bodies[0], text("y"))
        self.assertEqual(bodies[0], bodies[1])
        self.assertEqual(bodies[2], bodies[3])
        self.assertEqual(bodies[2]["kind"], "deleted")

    def test_own_from_before_coming_back(self) -> None:
        """Its author does not see it any more, and can delete it for all the others: that, and no more."""
        group = Group(self.world, self.alice, self.bob)
        mine, other = self.bob.write(group.id, "mine")["id"], self.alice.write(group.id, "hers")["id"]
        about = {"chat": group.id, "message": mine}
        self.bob.call("group.leave", chat=group.id)
        self.refused("not_found", self.bob, "message.delete", **about)
        group.join(self.bob)
        self.alice.take()
        self.refused("message_gone", self.bob, "message.edit", **about, body=text("x"))
        self.refused("message_gone", self.bob, "message.react", **about, emoji="👍")
        self.refused("message_gone", self.bob, "message.delete", chat=group.id, message=other)
        for _ in range(2):
            self.bob.call("message.delete", **about)
        [told] = self.changed(self.alice)
        self.assertEqual((told["message"]["id"], told["message"]["body"]["kind"]), (mine, "deleted"))
        self.assertEqual(self.changed(self.bob), [])

    def test_who_joined_later(self) -> None:
        """Whom a message is not for is told nothing of what becomes of it, live or later."""
        group = Group(self.world, self.alice, self.bob)
        sent = self.alice.write(group.id, "before")["id"]
        carol = self.world.register("carol")
        group.join(carol)
        since = self.world.cursor
        carol.take()
        about = {"chat": group.id, "message": sent}
        self.bob.call("message.react", **about, emoji="👍")
        self.assertEqual(len(self.changed(self.alice)), 1)
        self.assertEqual(self.changed(carol), [])
        carol.resume(since)
        self.assertEqual(self.changed(carol), [])
        for method, more in (
            ("message.react", {"emoji": "👍"}),
            ("message.reactions", {}),
            ("message.delete", {}),
        ):
            self.refused("message_gone", carol, method, **about, **more)
        source = {"chat": group.id, "message": sent}
        self.refused("message_gone", carol, "chat.send", chat=group.id, client_id="f", forward=source)
        self.refused(
            "message_gone", carol, "chat.send", chat=group.id, client_id="r", body=text("x"), reply_to=sent
        )

    def test_damaged(self) -> None:
        """A row that cannot be opened is left out, and the others come."""
        since = self.world.cursor
        second = self.alice.write(self.chat, "b")["id"]
        for message in (self.sent, second):
            self.react(self.alice, "👍", message)
        position = self.world.vault.cursors.decode(self.sent)
        self.world.database.execute("UPDATE events SET sealed = x'00' WHERE position = ?", position)
        self.bob.take()
        self.bob.resume(since)
        self.assertEqual([each["message"]["id"] for each in self.changed(self.bob)], [second])
        self.refused("message_gone", self.bob, "message.react", **self.about(emoji="👍"))


class ErasedTests(ChangeCase):
    """An account is closed."""

    def test_nothing_is_left(self) -> None:
        """What belongs to its chats and is its own goes with it, on disk as well."""
        self.react(self.bob, "👍")
        self.alice.call("chat.settings.set", chat=self.chat, draft={"text": "x"})
        self.bob.call("chat.settings.set", chat=self.chat, pinned=True)
        self.alice.call("account.pin.set", password="correct horse battery", pin="190283")
        self.alice.call("session.block", pin="190283")
        self.world.settle(60)
        for table in ("changes", "reactions", "settings"):
            self.assertEqual(self.world.database.count(table), 0, table)
