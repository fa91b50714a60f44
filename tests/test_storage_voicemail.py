"""Rows of voicemail in the database: rules and greetings, messages by their day, and the days' keys."""

from sqlalchemy import Connection

from safeum_home.storage import erasure, files, voicemails
from safeum_home.storage.keys import FLEETING
from safeum_home.storage.rows import FileRow
from tests.storage import OnPostgres, StorageCase, blind, wrap


class VoicemailRowTests(StorageCase):
    async def test_mailboxes(self) -> None:
        """What an account has set is in place of what it had; a greeting goes where there is none."""
        ann = blind("ann")
        self.assertIsNone(await self.read(voicemails.rule, ann))
        await self.write(voicemails.put_mailbox, ann, b"rule", b"greeting")
        await self.write(voicemails.put_mailbox, blind("bob"), b"other", None)
        self.assertEqual(await self.read(voicemails.greeting, ann), b"greeting")
        await self.write(voicemails.put_mailbox, ann, b"changed", None)
        self.assertEqual(await self.read(voicemails.rule, ann), b"changed")
        self.assertIsNone(await self.read(voicemails.greeting, ann))
        self.assertEqual(await self.read(voicemails.rule, blind("bob")), b"other")

    async def test_days(self) -> None:
        """Messages are found by their day, the oldest first; keys of days go, and the keyring is to turn."""
        for chat, position, day in (("one", 1, 10), ("two", 2, 10), ("one", 3, 11), ("one", 4, 12)):
            await self.write(voicemails.add_voicemail, blind(chat), position, day)
        self.assertEqual(await self.read(voicemails.day_of, blind("one"), 3), 11)
        self.assertIsNone(await self.read(voicemails.day_of, blind("two"), 3))
        before = await self.read(voicemails.voicemails_before, 12, 10)
        self.assertEqual(before, {blind("one"): [1, 3], blind("two"): [2]})
        self.assertEqual(sum(map(len, (await self.read(voicemails.voicemails_before, 12, 2)).values())), 2)
        for day in (10, 11, 12, 12):
            await self.write(self._key, day)
        self.assertEqual(sorted(await self.write(voicemails.drop_days_before, 12, 7)), [10, 11])
        self.assertEqual(await self.write(voicemails.drop_days_before, 12, 8), [])
        for day, is_there in ((10, False), (11, False), (12, True)):
            found = await self.read(FLEETING.key, voicemails.day_owner(day))
            self.assertEqual(found is not None, is_there)
        self.assertEqual(await self.read(FLEETING.erased_epoch), 7)

    async def test_files(self) -> None:
        """A file that was never an upload counts as its account's, and goes with its message."""
        row = FileRow(blind("chat"), 5, blind("ann"), blind("file"), blind("blob"), 0, b"sealed")
        await self.write(files.attach_new, row, 1000)
        await self.write(voicemails.add_voicemail, blind("chat"), 5, 10)
        self.assertEqual(await self.read(files.count_files, blind("chat")), 1)
        self.assertEqual(await self.read(files.used, blind("ann")), 1000)
        await self.write(files.drop, blind("chat"), 5)
        await self.write(erasure.drop_messages, blind("chat"), [5], 1, 3, [blind("mark")])
        self.assertEqual(await self.read(files.count_files, blind("chat")), 0)
        self.assertEqual(await self.read(files.used, blind("ann")), 0)
        self.assertIsNone(await self.read(voicemails.day_of, blind("chat"), 5))

    @staticmethod
    def _key(c: Connection, day: int) -> None:
        FLEETING.put_key(c, voicemails.day_owner(day), wrap())
        voicemails.add_day(c, day)


class PostgresVoicemailRowTests(OnPostgres, VoicemailRowTests):
    """The same on PostgreSQL."""
