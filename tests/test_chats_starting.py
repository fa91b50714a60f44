"""`sync.start`, and lists of chats: what a client that holds nothing is told in one answer."""

from typing import Any

import msgspec
from sqlalchemy import Connection
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.chats.contents import ChatKind
from safeum_home.chats.groups.roster import Role, RosterRecord, RosterState, seal_entry
from safeum_home.chats.opening import ChatOpener
from safeum_home.chats.record import ChatRecord, GroupRecord
from safeum_home.ids import AccountId, ChatId, support_account, system_account
from safeum_home.protocol import MAX_FRAME, frames
from safeum_home.protocol.commands import Start
from safeum_home.storage import chats, roster
from safeum_home.storage.rows import MemberRow, RosterRow
from tests.world import NODE, Client, Refused, World, texts

GROUP = ChatId("!" + "g" * 26)


class StartCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.world = World()
        self.alice, self.bob = self.world.register("alice"), self.world.register("bob")
        self.chat = self.world.befriend(self.alice, self.bob)

    def start(self, client: Client, **params: Any) -> dict[str, Any]:
        answer: dict[str, Any] = client.call("sync.start", **params)
        return answer

    def group(self, *members: Client) -> None:
        """A group of these, made at the node's present position."""
        vault, database = self.world.vault, self.world.database
        opener = ChatOpener(
            vault.keyring, vault.fleeting, vault.blinder, system_account(NODE), support_account(NODE)
        )
        people = [AccountId(member.account) for member in members]
        record = ChatRecord(GROUP, group=GroupRecord(NODE, "Choir"))
        chat, store = opener.make(ChatKind.GROUP, record, people)
        position = database.next_position()

        def entry(account: AccountId) -> RosterRow:
            blind = vault.blinder.account(account)
            record = RosterRecord(account, Role.MEMBER)
            return seal_entry(chat.key, chat.blind, blind, position, RosterState.MEMBER, record)

        def found(c: Connection) -> None:
            store(c)
            roster.put_entries(c, [entry(account) for account in people])
            row = chats.chat(c, chat.blind)
            assert row is not None
            chats.update_chat(c, chat.blind, row.sealed, position)

        self.successResultOf(database.transact(found))


class StartTests(StartCase):
    def test_everything(self) -> None:
        """One's own profile, chats newest first, contacts, and where to go on."""
        self.alice.write(self.chat, "hello")
        start = self.start(self.bob)
        self.assertEqual(start["own"], self.bob.call("profile.get"))
        self.assertEqual(start["chats"], self.bob.call("chat.list"))
        self.assertEqual(start["contacts"], self.bob.call("contact.list"))
        self.assertEqual([chat["kind"] for chat in start["chats"]["chats"]], ["direct", "system"])
        own = start["self_chat"]
        self.bob.write(own, "note")
        [mine, *_] = self.start(self.bob)["chats"]["chats"]
        self.assertEqual((mine["chat"], mine["kind"], mine["peer"], mine["unread"]), (own, "self", None, 0))

    def test_the_rest_is_fetched_from_where_it_ends(self) -> None:
        """With `next` of either list nothing is left out, and nothing comes twice."""
        friends = [self.world.register(f"friend{number}") for number in range(5)]
        for friend in friends:
            friend.write(self.world.befriend(self.bob, friend), "hi")
        start = self.start(self.bob, chats=2, contacts=2)
        chats = start["chats"]["chats"] + self.bob.call("chat.list", before=start["chats"]["next"])["chats"]
        peers = [friend.account for friend in reversed(friends)]
        self.assertEqual([chat["peer"] for chat in chats if chat["kind"] == "direct"], peers)
        contacts = start["contacts"]["contacts"]
        self.assertEqual(len(contacts), 2)
        contacts += self.bob.call("contact.list", after=start["contacts"]["next"])["contacts"]
        self.assertEqual(contacts, self.bob.call("contact.list")["contacts"])

    def test_the_longest_that_there_can_be(self) -> None:
        """Fits into a frame, and leaves nothing out that cannot be asked for."""
        fields = [{"label": "\u0001" * 32, "value": "\u0001" * 256}] * 8
        long = {"display_name": "\u0001" * 64, "status": "\u0001" * 256, "about": "\u0001" * 2048}
        self.bob.call("profile.set", profile={**long, "fields": fields})
        friends = [self.world.register(f"{'x' * 30}{number}") for number in range(60)]
        for friend in friends:
            friend.call("profile.set", profile={"display_name": "\u0001" * 64})
            friend.write(self.world.befriend(self.bob, friend), "\u0001" * 8192)
        start = self.start(self.bob)
        self.assertLessEqual(len(frames.encode_result(1, msgspec.convert(start, Start))), MAX_FRAME)
        self.assertIsNone(start["chats"])
        found, after = start["contacts"]["contacts"], start["contacts"]["next"]
        self.assertGreater(len(found), 0)
        while after is not None:
            page = self.bob.call("contact.list", after=after)
            found, after = found + page["contacts"], page["next"]
        self.assertEqual(len({contact["account"] for contact in found}), 61)

    def test_chats_take_no_more_than_their_part(self) -> None:
        """Where chats are long there is room for contacts all the same."""
        for number in range(20):
            friend = self.world.register(f"friend{number}")
            friend.write(self.world.befriend(self.bob, friend), "x" * 4000)
        start = self.start(self.bob)
        self.assertIsNotNone(start["chats"]["next"])
        self.assertGreater(len(start["chats"]["chats"]), 5)
        self.assertEqual(len(start["contacts"]["contacts"]), 21)

    def test_it_is_delivered(self) -> None:
        """Whoever gets the list holds the last messages in it."""
        [sent] = [self.alice.write(self.chat, "hi")["id"]]
        self.start(self.bob)
        self.world.clock.advance(1)
        [listed, _] = self.alice.call("chat.list")["chats"]
        self.assertEqual(listed["peer_delivered"], sent)

    def test_what_is_on_disk_is_told_before_it_is_listed(self) -> None:
        """So that what comes behind the answer is newer than it."""
        database = self.world.database
        database.hold = True
        self.alice.ask("chat.send", chat=self.chat, client_id="1", body={"kind": "text", "text": "hi"})
        database.commit()
        asked = self.bob.ask("sync.start")
        self.assertNotIn(asked, self.bob.answers)
        self.assertEqual(self.bob.messages(), [])
        while database.held:
            database.release()
        seen = [frame.get("method", frame.get("id")) for frame in self.bob.connection.written]
        self.assertLess(seen.index("chat.message"), seen.index(asked))

    def test_a_stranger(self) -> None:
        """Before logging in there is nothing to start with."""
        error = self.assertRaises(Refused, Client(self.world).call, "sync.start")
        self.assertEqual(error.code, "not_authenticated")


class GroupListTests(StartCase):
    def listed(self, client: Client) -> tuple[dict[str, Any], list[tuple[str, str]]]:
        listed = self.start(client)["chats"]
        [group] = [chat for chat in listed["chats"] if chat["kind"] == "group"]
        return group, [(person["account"], person["display_name"]) for person in listed["people"]]

    def test_without_a_message(self) -> None:
        """A group is listed from the beginning, where it was made, with its few members."""
        self.alice.write(self.chat, "before")
        self.group(self.alice, self.bob)
        self.alice.call("profile.set", profile={"display_name": "Alice"})
        group, people = self.listed(self.bob)
        self.assertEqual((group["chat"], group["last"], group["unread"]), (GROUP, None, 0))
        self.assertEqual(people, [(self.alice.account, "Alice")])
        self.assertEqual(next(chat["kind"] for chat in self.start(self.bob)["chats"]["chats"]), "group")

    def test_unread(self) -> None:
        """Of all others, behind one's own last message."""
        self.group(self.alice, self.bob)
        for writer in (self.alice, self.bob, self.alice, self.alice):
            writer.write(GROUP, "text")
        self.assertEqual([self.listed(client)[0]["unread"] for client in (self.bob, self.alice)], [2, 0])
        self.assertEqual(texts([self.listed(self.bob)[0]["last"]]), ["text"])

    def test_who_wrote_last_is_named(self) -> None:
        """Of a group with many members only that one, be it a contact or not."""
        others = [self.world.register(f"other{number}") for number in range(6)]
        self.group(self.bob, *others)
        self.assertEqual(self.listed(self.bob)[1], [])
        others[3].call("profile.set", profile={"display_name": "Ann"})
        others[3].write(GROUP, "hi")
        self.assertEqual(self.listed(self.bob)[1], [(others[3].account, "Ann")])

    def test_members_by_the_index_alone(self) -> None:
        """Whoever has a row among the members, and no entry in the roster, does not see the group."""
        self.group(self.alice)
        vault = self.world.vault
        bob = vault.blinder.account(AccountId(self.bob.account))
        row = MemberRow(vault.blinder.chat(GROUP), bob, 0, 0, 0)
        self.successResultOf(self.world.database.transact(lambda c: chats.add_members(c, [row])))
        self.assertEqual([chat["kind"] for chat in self.start(self.bob)["chats"]["chats"]], ["system"])
