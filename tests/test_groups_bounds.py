"""Bounds of groups, and what somebody's hand in the database does to them."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection

from safeum_home.chats.groups.roster import Role, RosterRecord, RosterState, seal_entry
from safeum_home.storage import roster
from safeum_home.storage.rows import RosterRow
from tests.group_case import GroupCase
from tests.world import Client, World

TABLES = ("chats", "roster", "members", "group_links", "endings", "events", "erasing", "keys")


def everything(c: Connection) -> Iterator[bytes]:
    """All octets in these tables."""
    for table in TABLES:
        for row in c.exec_driver_sql(f"SELECT * FROM {table}"):
            yield from (value for value in row if isinstance(value, bytes))


class LimitTests(GroupCase):
    def limited(self, **limits: Any) -> None:
        """The same node, with other limits."""
        self.world = World(self.world.database, self.world.vault, **limits)
        for client in (self.alice, self.bob, self.carol, self.dave, self.eve):
            client.world = self.world
            client.resume()
            client.take()

    def test_members(self) -> None:
        """Who accepts when the group is full is told so, and may when somebody has left."""
        self.limited(group_members=2)
        chat = self.create(self.alice, self.bob, self.carol)
        link = self.alice.call("group.link.reset", chat=chat)["link"]
        self.bob.call("group.accept", chat=chat)
        self.refused("group_full", self.carol, "group.accept", chat=chat)
        self.refused("group_full", self.dave, "group.join", link=link)
        self.bob.call("group.leave", chat=chat)
        self.carol.call("group.accept", chat=chat)

    def test_groups(self) -> None:
        """An account is in so many at the most."""
        self.limited(groups=1)
        chat = self.group(self.alice, self.bob)
        refusal = self.refused("limit_reached", self.bob, "group.create", client_id="1", name="x")
        self.assertEqual(refusal["detail"], "groups")
        self.bob.call("group.leave", chat=chat)
        self.bob.call("group.create", client_id="1", name="x")

    def test_open_invitations(self) -> None:
        """Into one group, and of one account."""
        self.limited(group_open_invitations=1)
        chat = self.create(self.alice, self.bob)
        about = {"chat": chat, "accounts": [self.carol.account]}
        self.refused("limit_reached", self.alice, "group.invite", **about)
        self.bob.call("group.decline", chat=chat)
        self.alice.call("group.invite", **about)
        self.limited(invitations=1)
        other = self.create(self.alice, name="other")
        self.refused("limit_reached", self.alice, "group.invite", chat=other, accounts=[self.carol.account])

    def test_made_twice(self) -> None:
        """Making a group again after the answer was lost is no other group, and costs nothing."""
        self.limited(group_changes_per_account=0.001, group_changes_per_account_burst=1)
        chat = self.create(self.alice, self.bob)
        self.assertEqual(self.create(self.alice, self.bob), chat)
        self.refused("rate_limited", self.alice, "group.create", client_id="other", name="Other")

    def test_rates(self) -> None:
        """Each account that is invited counts; so does each change."""
        self.limited(group_invitations_per_account=0.001, group_invitations_per_account_burst=2)
        params = {"name": "x", "invite": [self.bob.account, self.carol.account]}
        chat = self.alice.call("group.create", client_id="1", **params)["chat"]["chat"]
        self.refused("rate_limited", self.alice, "group.invite", chat=chat, accounts=[self.dave.account])
        self.limited(group_changes_per_account=0.001, group_changes_per_account_burst=1)
        self.alice.call("group.link.reset", chat=chat)
        self.refused("rate_limited", self.alice, "group.link.revoke", chat=chat)


class HandTests(GroupCase):
    """Whoever writes into the database file, without the keys, becomes neither member nor admin."""

    def setUp(self) -> None:
        super().setUp()
        self.cursor = self.world.cursor
        self.chat = self.group(self.alice, self.bob)
        self.alice.write(self.chat, "secret")

    def restart(self, *clients: Client) -> None:
        """Nothing is in memory any more."""
        self.world = World(self.world.database, self.world.vault)
        for client in clients:
            client.take()
            client.world = self.world
            client.resume(self.cursor)

    def outside(self, client: Client) -> None:
        """Nothing of the group is told, shown or taken."""
        self.assertNotIn("secret", str(client.take()))
        self.assertEqual(self.chats(client), {})
        for method in ("group.members", "group.leave", "group.link", "chat.history"):
            self.refused("not_found", client, method, chat=self.chat)
        self.refused("not_found", client, "group.set", chat=self.chat, name="Other")
        self.refused("not_found", client, "group.readers", chat=self.chat, upto=self.cursor)
        self.refused("not_a_contact", client, "chat.send", **client.message(self.chat, "hi"))
        self.alice.take()
        self.alice.write(self.chat, "another secret")
        self.assertNotIn("secret", str(client.take()))
        self.flushLoggedErrors()

    def test_a_member_row(self) -> None:
        """A row among the members makes nobody one."""
        self.world.database.execute(
            "INSERT INTO members VALUES (?, ?, 0, 0, 0, 0)",
            *(self.blind_chat(self.chat), self.blind(self.eve)),
        )
        self.restart(self.alice, self.eve)
        self.outside(self.eve)

    def test_another_ones_entry(self) -> None:
        """Nor does somebody else's entry, put in one's own place."""
        blind = self.blind_chat(self.chat)
        row = self.world.database.now(lambda c: roster.entry(c, blind, self.blind(self.bob)))
        assert row is not None
        self.put(row._replace(account=self.blind(self.eve)))
        self.restart(self.alice, self.eve)
        self.outside(self.eve)

    def test_an_invitation_called_membership(self) -> None:
        """An entry's state is sealed with it."""
        self.alice.call("group.invite", chat=self.chat, accounts=[self.carol.account])
        blind = self.blind_chat(self.chat)
        row = self.world.database.now(lambda c: roster.entry(c, blind, self.blind(self.carol)))
        assert row is not None
        self.put(row._replace(state=RosterState.MEMBER))
        self.restart(self.alice, self.carol)
        self.outside(self.carol)

    def test_an_entry_from_another_group(self) -> None:
        """What one is in a group of one's own is nothing in another: it is another key."""
        own = self.create(self.eve, name="eve's")
        row = self.world.database.now(lambda c: roster.entry(c, self.blind_chat(own), self.blind(self.eve)))
        assert row is not None
        self.put(row._replace(chat=self.blind_chat(self.chat)))
        self.eve.call("group.leave", chat=own)
        self.restart(self.alice, self.eve)
        self.outside(self.eve)

    def test_the_right_key(self) -> None:
        """It takes the group's key, which nobody has: with it, this very row is a membership."""
        blind, eve = self.blind_chat(self.chat), self.blind(self.eve)
        chat = self.world.domain.registry.get(self.chat)  # type: ignore[arg-type]
        assert chat is not None
        record = RosterRecord(self.eve.account, Role.ADMIN)  # type: ignore[arg-type]
        self.put(seal_entry(chat.key, blind, eve, 1, RosterState.MEMBER, record))
        self.restart(self.alice, self.eve)
        self.assertIn("secret", str(self.eve.call("chat.history", chat=self.chat)))

    def test_a_damaged_entry(self) -> None:
        """Is no member any more; the others go on."""
        self.world.database.execute(
            "UPDATE roster SET sealed = x'00' WHERE account = ?", self.blind(self.bob)
        )
        self.restart(self.alice, self.bob)
        self.outside(self.bob)
        self.assertEqual(set(self.roster(self.alice, self.chat)), {"alice"})

    def test_a_damaged_entry_is_made_whole(self) -> None:
        """Whose entry is damaged can be invited again."""
        self.damage(self.bob)
        self.refused("wrong_member_state", self.alice, "group.remove", **self.about(self.bob))
        self.alice.call("group.invite", chat=self.chat, accounts=[self.bob.account])
        self.bob.call("group.accept", chat=self.chat)
        self.assertEqual(set(self.roster(self.bob, self.chat)), {"alice", "bob"})

    def test_a_damaged_invitation(self) -> None:
        """An invitation that does not open lets nobody in."""
        self.alice.call("group.invite", chat=self.chat, accounts=[self.carol.account])
        self.damage(self.carol)
        self.refused("not_found", self.carol, "group.accept", chat=self.chat)

    def test_only_damaged_ones_are_left(self) -> None:
        """The group goes with the last one who can be in it."""
        self.damage(self.bob)
        self.alice.call("group.leave", chat=self.chat)
        self.assertEqual([self.rows(table, self.chat) for table in ("chats", "members", "roster")], [0] * 3)

    def damage(self, client: Client) -> None:
        self.world.database.execute("UPDATE roster SET sealed = x'00' WHERE account = ?", self.blind(client))
        self.restart(self.alice, self.bob, self.carol)

    def about(self, client: Client) -> dict[str, str]:
        return {"chat": self.chat, "account": client.account}

    def test_what_a_disk_shows(self) -> None:
        """No name, text, link, picture or id of anybody is in the database in clear."""
        self.alice.call("group.set", chat=self.chat, name="Clandestine", about="Conspiracies")
        link = self.alice.call("group.link.reset", chat=self.chat)["link"]
        self.alice.call("group.invite", chat=self.chat, accounts=[self.carol.account])
        self.bob.call("group.leave", chat=self.chat)
        ended = self.create(self.alice, name="ended")
        self.alice.call("group.leave", chat=ended)
        found = self.world.database.now(lambda c: b"".join(everything(c)))
        self.assertGreater(len(found), 1000)
        code = link.partition("#")[2]
        clear = ["Clandestine", "Conspiracies", "Walks", "secret", code, self.chat, ended]
        for text in [*clear, *(client.account for client in (self.alice, self.bob, self.carol))]:
            self.assertNotIn(text.strip("!@").partition(":")[0].encode(), found)

    def put(self, row: RosterRow) -> None:
        """Put an entry into the database, and a row among the members along with it."""
        self.world.database.execute("INSERT OR REPLACE INTO roster VALUES (?, ?, ?, ?, ?)", *row)
        self.world.database.execute(
            "INSERT OR REPLACE INTO members VALUES (?, ?, 0, 0, 0, 0)", row.chat, row.account
        )


class SizeTests(GroupCase):
    """At their longest, answers fit a frame: the world's connections refuse others."""

    def test_answers(self) -> None:
        """Lists of chats, of members and of invitations."""
        about = "\U0001f600" * 511 + "\n"
        for number in range(30):
            params = {"client_id": str(number), "name": "\U0001f600" * 64, "about": about}
            made = self.alice.call("group.create", **params, invite=[self.bob.account])
            if number < 15:
                self.bob.call("group.accept", chat=made["chat"]["chat"])
        found: list[str] = []
        before = None
        while True:
            page = self.alice.call("chat.list", limit=50, before=before)
            found += [chat["chat"] for chat in page["chats"] if chat["kind"] == "group"]
            before = page["next"]
            if before is None:
                break
        self.assertEqual((len(found), len(set(found))), (30, 30))
        self.assertEqual(len(self.bob.call("group.invitations")["invitations"]), 15)
        for number in range(30, 60):
            params = {"client_id": str(number), "name": "x", "about": about}
            self.alice.call("group.create", **params, invite=[self.carol.account])
        self.assertGreater(len(self.carol.call("group.invitations")["invitations"]), 20)
