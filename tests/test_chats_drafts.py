"""What becomes of drafts where the past of a chat is erased, and while it keeps none."""

from typing import Any

from tests.changes_case import Group
from tests.erasure_case import ErasureCase
from tests.world import Client

BEGUN = {"text": "begun"}


class DraftTests(ErasureCase):
    def keep(self, client: Client, **params: Any) -> dict[str, Any]:
        kept = client.call("chat.settings.set", chat=self.chat, **params)["settings"]
        return dict(kept)

    def told(self, client: Client) -> list[dict[str, Any]]:
        return [event["params"]["settings"] for event in client.take("chat.settings")]

    def listed(self, client: Client) -> dict[str, Any] | None:
        chats = client.call("chat.list")["chats"]
        found: dict[str, Any] | None = next(each for each in chats if each["chat"] == self.chat)["settings"]
        return found

    def test_gone_with_the_past(self) -> None:
        """All members' drafts, on all of their devices; what else they have set stays."""
        tablet = self.world.login("bob")
        self.world.settle()
        self.keep(self.alice, draft=BEGUN)
        self.keep(self.bob, draft={"text": "begun too"}, muted_until=7)
        for client in (self.alice, self.bob, tablet):
            client.take()
        self.off()
        self.assertEqual(self.told(self.alice), [{}])
        self.assertEqual(self.told(self.bob), [{"muted_until": 7}])
        self.assertEqual(self.told(tablet), [{"muted_until": 7}])
        self.assertIsNone(self.listed(self.alice))
        self.assertEqual(self.listed(self.bob), {"muted_until": 7})
        left = "SELECT count(*) FROM settings WHERE draft IS NOT NULL"
        self.assertEqual(self.world.database.now(lambda c: c.exec_driver_sql(left).scalar_one()), 0)

    def test_nobody_is_told_of_nothing(self) -> None:
        """Where there was no draft nothing is said."""
        self.keep(self.bob, pinned=True)
        self.bob.take()
        self.off()
        self.assertEqual(self.told(self.bob), [])
        self.assertEqual(self.listed(self.bob), {"pinned": True})

    def test_missed(self) -> None:
        """A device that was away is told when it comes back, behind the chat itself."""
        self.keep(self.bob, draft=BEGUN)
        since = self.world.cursor
        self.bob.drop()
        self.bob.take()
        self.off()
        for _ in range(2):
            self.bob.resume(since)
            events = [
                event for event in self.bob.take() if event["method"] in ("chat.updated", "chat.settings")
            ]
            self.assertEqual(events[-1]["params"]["settings"], {})
            # As if the line had broken between the two.
            since = events[0]["params"]["cursor"]
            self.bob.drop()
        self.assertEqual(len(events), 1)

    def test_while_it_is_off(self) -> None:
        """The node keeps none, and says so; what else is set is kept, and a draft can be dropped."""
        self.off()
        for draft in (BEGUN, {"text": "", "reply_to": self.world.cursor}):
            self.refused("draft_not_kept", self.alice, "chat.settings.set", chat=self.chat, draft=draft)
        self.refused(
            "draft_not_kept", self.alice, "chat.settings.set", chat=self.chat, muted_until=7, draft=BEGUN
        )
        self.assertIsNone(self.listed(self.alice))
        self.assertEqual(self.keep(self.alice, muted_until=7, draft=None), {"muted_until": 7})
        self.assertEqual(
            self.keep(self.alice, pinned=True, draft={"text": ""}), {"muted_until": 7, "pinned": True}
        )
        self.on()
        self.assertEqual(self.keep(self.alice, draft=BEGUN)["draft"], BEGUN)

    def test_at_once(self) -> None:
        """A draft on its way is dropped with the rest, or behind the switch and refused: none is left."""
        for first, second in ((0, 1), (1, 0)):
            self.world.database.hold = True

            def switch() -> int:
                return self.alice.ask("chat.history.set", chat=self.chat, enabled=False)

            def draft() -> int:
                return self.bob.ask("chat.settings.set", chat=self.chat, draft=BEGUN)

            asked = {first: (draft if first else switch)()}
            asked[second] = (draft if second else switch)()
            self.world.database.hold = False
            for _ in range(2):
                self.world.database.release()
            self.world.settle(60)
            self.assertIsNone(self.listed(self.bob))
            self.on()

    def test_of_a_group(self) -> None:
        """Those of all its members, and of nobody else."""
        cay = self.world.register("cay")
        group = Group(self.world, self.alice, self.bob, cay)
        for client in (self.alice, self.bob, cay):
            client.call("chat.settings.set", chat=group.id, draft=BEGUN)
            client.take()
        self.keep(self.bob, draft=BEGUN)
        self.bob.take()
        self.off(chat=group.id)
        for client in (self.alice, self.bob, cay):
            self.assertEqual(self.told(client), [{}])
        self.assertEqual(self.listed(self.bob), {"draft": BEGUN})

    def test_damaged(self) -> None:
        """A draft that opens no more is left out, and what else is set is there."""
        self.keep(self.bob, draft=BEGUN, pinned=True)
        self.world.database.execute("UPDATE settings SET draft = zeroblob(90)")
        since = self.world.cursor
        self.assertEqual(self.listed(self.bob), {"pinned": True})
        self.assertEqual(self.keep(self.bob, muted_until=7), {"pinned": True, "muted_until": 7})
        self.bob.drop()
        self.bob.take()
        self.bob.resume(since)
        self.assertEqual(self.told(self.bob), [{"pinned": True, "muted_until": 7}])
