"""Voicemail at rest: sealed, for its days, and then for nobody."""

from typing import Any

from twisted.internet.defer import Deferred
from twisted.logger import ILogObserver, globalLogPublisher
from zope.interface import provider

from safeum_home.chats.contents import Chat
from safeum_home.chats.files.own_keys import opener
from safeum_home.chats.files.record import open_file
from safeum_home.chats.sealed import open_encoded
from safeum_home.config_safenum import SafenumSection
from safeum_home.errors import Tampered
from safeum_home.jobs import AGAIN
from safeum_home.storage.keys import FLEETING
from safeum_home.storage.rows import EventRow, FileRow
from safeum_home.storage.voicemails import day_owner
from tests.voicemail_case import CALLER, DAY, SOUND, VoicemailCase


class KeptTests(VoicemailCase):
    """What is stored, looked at with all keys that there are."""

    def rows(self, table: str) -> list[Any]:
        return self.world.database.now(lambda c: list(c.exec_driver_sql(f"SELECT * FROM {table}").all()))

    def opened(self) -> Chat:
        chat = self.successResultOf(self.world.domain.registry.load(self.voicemail_chat))
        assert chat is not None
        return chat

    def left(self) -> tuple[EventRow, FileRow]:
        """The rows of the one voicemail."""
        [file] = [FileRow(*row) for row in self.rows("files")]
        [event] = [EventRow(*row) for row in self.rows("events") if row.chat == file.chat]
        return event, file

    def opens(self, event: EventRow, file: FileRow) -> tuple[bool, bool]:
        """Whether rows of an old copy open with the keys of now: the message, and its file."""
        chat = self.opened()

        def look(c: Any) -> tuple[bool, bool]:
            return (
                not _fails(lambda: open_encoded(c, chat, event)),
                not _fails(lambda: open_file(chat.key, file, opener(c, self.world.vault.fleeting, file))),
            )

        return self.world.database.now(look)

    def put_back(self, *kept: tuple[str, tuple[Any, ...]]) -> None:
        """Somebody brings back rows of an old copy of the database."""
        for table, row in kept:
            marks = ", ".join("?" * len(row))
            self.world.database.execute(f"INSERT INTO {table} VALUES ({marks})", *row)

    def test_sealed(self) -> None:
        """Neither the sound nor the number is in the database, in the store or in the log in clear."""
        heard: list[str] = []

        @provider(ILogObserver)
        def observe(event: Any) -> None:
            heard.append(str(event))

        globalLogPublisher.addObserver(observe)
        self.addCleanup(globalLogPublisher.removeObserver, observe)
        self.alice.call("voicemail.greeting.set", data="aGVsbG8gaGVsbG8gaGVsbG8=")
        self.leave()
        driver: Any = self.world.database.connection.connection.driver_connection
        octets = driver.serialize()
        for canary in (SOUND[:20], CALLER.encode(), CALLER[1:].encode(), b"hello hello", b"audio/ogg"):
            self.assertNotIn(canary, octets)
            for blob in self.store.written.values():
                self.assertNotIn(canary, bytes(blob))
            self.assertNotIn(canary.decode(), "".join(heard))
        self.assertIn(b"mailboxes", octets)

    def test_thirty_days(self) -> None:
        """It is there for 30 days, and then nothing opens it: not with what an old copy of the disk has."""
        self.world.clock.advance(DAY - self.world.clock.seconds() % DAY + 60)
        self.leave()
        [message] = self.voicemails()
        until = message["body"]["until"] / 1000
        self.assertEqual(until, self.world.clock.seconds() // DAY * DAY + 30 * DAY)
        event, file = self.left()
        day = int(self.world.clock.seconds() // DAY)
        [row] = [row for row in self.rows("fleeting_keys") if row.owner == day_owner(day)]
        [own] = [row for row in self.rows("fleeting_keys") if row.owner != day_owner(day)]
        epoch = self.world.vault.fleeting.epoch
        self.days(29.9)
        self.assertEqual(self.fetched(message), SOUND)
        self.assertEqual(self.opens(event, file), (True, True))
        self.days(0.3)
        self.assertGreater(self.world.vault.fleeting.epoch, epoch)
        page = self.alice.call("chat.history", chat=self.voicemail_chat)
        self.assertEqual(page, {"messages": [], "more": False})
        for table in ("files", "voicemails", "voicemail_days", "fleeting_keys"):
            self.assertEqual(self.world.database.count(table), 0, table)
        self.assertEqual(self.opens(event, file), (False, False))
        voicemail = (event.chat, event.position, day)
        self.put_back(("fleeting_keys", row), ("fleeting_keys", own), ("voicemails", voicemail))
        self.assertEqual(self.opens(event, file), (False, False))
        self.assertTidy()

    def test_database_away(self) -> None:
        """What could not be destroyed at its hour is destroyed as soon as it can be, not an hour later."""
        self.world.clock.advance(DAY - self.world.clock.seconds() % DAY + 60)
        self.leave()
        self.days(29.9)
        self.world.database.failing = True
        self.days(1.1)
        self.assertEqual(self.world.database.count("voicemails"), 1)
        self.world.database.failing = False
        self.world.settle(AGAIN)
        self.assertEqual(self.world.database.count("voicemails"), 0)

    def test_day_by_day(self) -> None:
        """What was left on another day stays, though it is in the same chat."""
        self.leave()
        self.days(3)
        self.leave()
        self.days(27.5)
        page = self.alice.call("chat.history", chat=self.voicemail_chat)["messages"]
        self.assertEqual(len(page), 1)
        self.assertEqual(self.fetched(page[0]), SOUND)

    def test_the_key_of_the_day_is_needed(self) -> None:
        """Without it neither message nor file opens, whatever other keys there are."""
        self.leave()
        event, file = self.left()
        self.assertEqual(self.opens(event, file), (True, True))
        owner = day_owner(int(self.world.clock.seconds() // DAY))
        self.world.database.execute("DELETE FROM fleeting_keys WHERE owner = ?", owner)
        self.assertEqual(self.opens(event, file), (False, False))

    def test_deleted_is_gone(self) -> None:
        """Of what its owner has deleted no old copy has the sound, once the keyring has turned."""
        self.leave()
        [message] = self.voicemails()
        event, file = self.left()
        [own] = [row for row in self.rows("fleeting_keys") if row.owner != self.day()]
        self.alice.call("message.delete", chat=message["chat"], message=message["id"])
        self.successResultOf(Deferred.fromCoroutine(self.world.domain.fleeting_turns.if_due()))
        self.put_back(("fleeting_keys", own))
        self.assertEqual(self.opens(event, file)[1], False)

    def test_turns(self) -> None:
        """A turn of the keyring for something else leaves it as it is."""
        self.leave()
        [message] = self.voicemails()
        turned = self.world.domain.fleeting_turns.turned()
        self.world.clock.pump([10] * 30)
        self.successResultOf(turned)
        self.world.domain.registry.forget()
        self.assertEqual(self.fetched(message), SOUND)
        self.leave()
        self.assertEqual(len(self.voicemails()), 1)
        self.assertEqual(self.world.database.count("voicemail_days"), 1)

    def test_lost_key(self) -> None:
        """Where the key of the day is lost, or opens nothing, what is left afterwards is kept."""
        self.leave()
        owner = self.day()
        self.world.database.execute("DELETE FROM fleeting_keys WHERE owner = ?", owner)
        self.leave()
        self.world.database.execute("UPDATE fleeting_keys SET wrapped = ? WHERE owner = ?", bytes(73), owner)
        self.leave()
        self.assertEqual([self.fetched(each) for each in self.voicemails()[2:]], [SOUND])
        self.assertEqual(self.world.database.count("voicemail_days"), 1)

    def test_closed(self) -> None:
        """With the account all of it goes: rules, greeting, messages and files."""
        self.alice.call("voicemail.greeting.set", data="aGVsbG8=")
        self.leave()
        self.alice.call("account.pin.set", password="correct horse battery", pin="284716")
        self.alice.call("session.block", pin="284716")
        self.world.settle()
        self.successResultOf(Deferred.fromCoroutine(self.world.domain.closing.sweep()))
        for table in ("mailboxes", "voicemails", "files"):
            self.assertEqual(self.world.database.count(table), 0, table)
        self.assertTidy()

    def day(self) -> bytes:
        return day_owner(int(self.world.clock.seconds() // DAY))


class FewDaysTests(VoicemailCase):
    """A node that keeps it for three days."""

    more = {"safenum": SafenumSection(voicemail_days=3)}

    def test_setting(self) -> None:
        """It is so in what clients are told, and in what is done."""
        self.assertEqual(self.alice.call("voicemail.get")["days"], 3)
        self.leave()
        self.days(2)
        self.assertEqual(self.world.database.count("voicemails"), 1)
        self.days(1.1)
        self.assertEqual(self.world.database.count("voicemails"), 0)
        self.assertIsNone(self.world.database.now(lambda c: FLEETING.key(c, day_owner(1_700_000_000 // DAY))))


def _fails(open_row: Any) -> bool:
    try:
        open_row()
    except Tampered:
        return True
    return False
