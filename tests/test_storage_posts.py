"""Posts, and events that are passed on, as they are stored, on SQLite and on PostgreSQL."""

from sqlalchemy import Connection

from safeum_home.ports import WrappedKey
from safeum_home.storage import changes, erasure, events, passed_on, posts, reactions
from safeum_home.storage.keys import FLEETING, message_owner
from safeum_home.storage.posts import PostState
from safeum_home.storage.rows import NewEvent, PostRow, ReactionRow
from safeum_home.storage.trial import tried
from tests.storage import OnPostgres, StorageCase, blind

WAITING, CHANGING, REFUSED = PostState.WAITING, PostState.CHANGING, PostState.REFUSED


class PostTests(StorageCase):
    def row(
        self, position: int, state: PostState = WAITING, account: str = "ann", chat: str = "g"
    ) -> PostRow:
        return PostRow(position, blind(chat), blind(account), position, 100, state, b"sealed")

    async def test_life(self) -> None:
        """One waits, is recognised, and comes: then its message is recognised in its place."""
        first, second = self.row(5), self.row(7, CHANGING)
        await self.write(posts.put_post, first, blind("client id"))
        await self.write(posts.put_post, second, None)
        self.assertEqual(await self.read(events.recognised, blind("client id")), 5)
        self.assertEqual(await self.read(posts.post, 5), first)
        self.assertEqual(await self.read(posts.waiting, blind("ann"), blind("g"), 9), [first])
        self.assertEqual(await self.read(posts.changing, blind("ann"), blind("g"), 9), [second])
        self.assertEqual(await self.read(posts.open_posts, 0, 9), [first, second])
        self.assertEqual(await self.read(posts.open_posts, 5, 9), [second])
        await self.write(posts.came, 5, 11)
        self.assertIsNone(await self.read(posts.post, 5))
        self.assertEqual(await self.read(events.recognised, blind("client id")), 11)

    async def test_refused(self) -> None:
        """What was refused is told where it was, and forgotten after a while, by its account alone."""
        for position, account in ((5, "ann"), (6, "ann"), (7, "bob")):
            await self.write(posts.put_post, self.row(position, account=account), blind(f"id {position}"))
            await self.write(posts.refuse, position, position + 10, 90 + position, b"why")
        [told] = await self.read(posts.posts_since, blind("ann"), 15, 9)
        self.assertEqual((told.position, told.told, told.state, told.sealed), (6, 16, REFUSED, b"why"))
        self.assertEqual(await self.read(posts.waiting, blind("ann"), blind("g"), 9), [])
        await self.write(posts.drop_refused, blind("ann"), 96)
        self.assertIsNone(await self.read(posts.post, 5))
        self.assertIsNone(await self.read(events.recognised, blind("id 5")))
        self.assertIsNotNone(await self.read(posts.post, 6))
        self.assertIsNotNone(await self.read(posts.post, 7))

    async def test_dropped(self) -> None:
        """One that is over without a message is not recognised, nor are those of a copy."""
        for position, account, chat in ((5, "ann", "g"), (6, "ann", "h"), (7, "bob", "i")):
            row = self.row(position, account=account, chat=chat)
            await self.write(posts.put_post, row, blind(f"id {position}"))
        await self.write(posts.drop_post, 5)
        await self.write(erasure.forget_copy, blind("h"))
        await self.write(erasure.erase_account, blind("bob"), 1)
        for position in (5, 6, 7):
            self.assertIsNone(await self.read(posts.post, position))
            self.assertIsNone(await self.read(events.recognised, blind(f"id {position}")))

    async def test_own_keys(self) -> None:
        """The key of a post goes with it, however it is forgotten, and its keyring is to be turned."""
        for position, account, chat in ((5, "ann", "h"), (6, "bob", "i")):
            await self.write(posts.put_post, self.row(position, account=account, chat=chat), None)
            owner = message_owner(blind(chat), position)
            await self.write(FLEETING.put_key, owner, WrappedKey(position, b"wrapped"))
        await self.write(erasure.forget_copy, blind("h"))
        self.assertEqual(await self.read(FLEETING.erased_epoch), 5)
        await self.write(erasure.erase_account, blind("bob"), 1)
        self.assertEqual(await self.read(FLEETING.erased_epoch), 6)
        for position, chat in ((5, "h"), (6, "i")):
            self.assertFalse(await self.write(FLEETING.delete_key, message_owner(blind(chat), position)))

    async def test_recognised(self) -> None:
        """What is no message is recognised for as long as what is gone."""
        self.assertTrue(await self.write(events.recognise, blind("act"), 100))
        self.assertFalse(await self.write(events.recognise, blind("act"), 101))
        await self.write(erasure.forget_gone, 100, 9)
        self.assertFalse(await self.write(events.recognise, blind("act"), 101))
        await self.write(erasure.forget_gone, 101, 9)
        self.assertTrue(await self.write(events.recognise, blind("act"), 101))

    async def test_passed_on(self) -> None:
        """An event for each message and each reaction, the last one; they go with the message."""
        g, ann = blind("g"), blind("ann")
        for number in (1, 2):
            await self.write(passed_on.put_event, g, 5, passed_on.ITSELF, b"event %d" % number)
            await self.write(passed_on.put_event, g, 5, ann, b"reaction %d" % number)
        self.assertEqual(await self.read(passed_on.event_of, g, 5), b"event 2")
        self.assertEqual(await self.read(passed_on.event_of, g, 5, ann), b"reaction 2")
        self.assertIsNone(await self.read(passed_on.event_of, g, 6))
        await self.write(passed_on.drop_events, g, 5)
        self.assertIsNone(await self.read(passed_on.event_of, g, 5, ann))
        await self.write(events.append_events, [NewEvent(g, 6, b"message", blind("sent"))])
        await self.write(passed_on.put_event, g, 6, passed_on.ITSELF, b"event")
        await self.write(erasure.erase_chat, g, 1)
        while await self.write(erasure.sweep, 9, 1):
            pass
        self.assertIsNone(await self.read(passed_on.event_of, g, 6))

    async def test_reactors(self) -> None:
        """Who has reacted from a message on, in their order."""
        for target, account, position in ((3, "ann", 10), (5, "bob", 11), (5, "ann", 12)):
            row = ReactionRow(blind("g"), target, blind(account), position, b"sealed")
            await self.write(reactions.put_reaction, row)
        found = await self.read(reactions.reactors, blind("g"), 4)
        self.assertEqual(found, [(5, blind("bob")), (5, blind("ann"))])

    async def test_tried(self) -> None:
        """What would be is known, and nothing is written, whether it can be or not."""

        def change(c: Connection) -> int:
            changes.note(c, blind("g"), 1, 2)
            posts.put_post(c, self.row(5), None)
            return 7

        def fail(c: Connection) -> int:
            change(c)
            raise LookupError

        self.assertEqual(await self.write(tried, change), 7)
        with self.assertRaises(LookupError):
            await self.write(tried, fail)
        self.assertIsNone(await self.read(posts.post, 5))


class PostgresPostTests(OnPostgres, PostTests):
    """The same on PostgreSQL."""
