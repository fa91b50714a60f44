"""What Kamailio tells whoever runs it: calls that go on, those that are ended, and records on their way."""

import re
import sqlite3
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.config_trunk import TrunkSection
from safeum_home.grants.trunk import EdgeRecord, TrunkGrant
from safeum_home.grants.turn import NotGranted
from safeum_home.trunk import ending, kamailio, memory, sending
from safeum_home.trunk.ending import Ending
from safeum_home.trunk.memory import Call, EdgeMemory
from safeum_home.trunk.rpc import NoAnswer
from safeum_home.trunk.sending import Sending
from safeum_home.trunk.told import Answered, Begun, Lost, Present, read

ID = b"call@example".hex()
SESSION, OTHER = "sip:bridge@127.0.0.1:4000", "sip:bridge@127.0.0.1:5000"
ANSWERED = (
    "record start_time=1795974057.072; end_time=1795974060.08; duration=3.008; direction=in;"
    f" caller=+4930123456; called=+354490001; began=1795974056.9; code=; id={ID}"
)
RECORD = EdgeRecord(
    "call@example", "in", "+4930123456", "+354490001", 1795974056900, 1795974057072, 1795974060080
)


class ToldTests(SynchronousTestCase):
    """Lines with a mark."""

    def test_read(self) -> None:
        """Of each kind."""
        session = SESSION.encode().hex()
        self.assertEqual(read(f"session id={session}"), Present(SESSION))
        self.assertEqual(read("lost"), Lost())
        self.assertEqual(read(f"begun id={ID};cseq=7;session={session}"), Begun("call@example", 7, SESSION))
        self.assertEqual(read(f"answered id={ID};entry=3;number=9"), Answered("call@example", 3, 9))
        self.assertEqual(read(ANSWERED), RECORD)
        refused = ANSWERED.replace("code=", "code=486").replace("caller=+4930123456", "caller=")
        found = read(refused)
        assert isinstance(found, EdgeRecord)
        self.assertEqual((found.sip, found.answered, found.caller), (486, 0, ""))

    def test_not_understood(self) -> None:
        """What is none of that, and numbers that are none."""
        for text in (
            "",
            "records",
            "answered id=zz;entry=1;number=1",
            "begun id=;cseq=1;session=00",
            ANSWERED.replace("caller=+49", "caller=Ann"),
            ANSWERED.replace("direction=in", "direction=up"),
            ANSWERED.replace("end_time=1795974060.08", "end_time=soon"),
            ANSWERED.replace("end_time=1795974060.08", "end_time=253402300800"),
            ANSWERED.replace("code=", "code=x"),
        ):
            self.assertIsNone(read(text), text)

    @given(st.text(max_size=200))
    def test_anything(self, text: str) -> None:
        """It is read, or it is not."""
        for word in ("", "session ", "begun ", "answered ", "record "):
            read(word + text)


class MemoryCase(SynchronousTestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory(dir="/dev/shm")
        self.addCleanup(folder.cleanup)
        self.path = Path(folder.name) / "calls.sqlite"
        self.memory = EdgeMemory(self.path)
        self.said: list[str] = []

    def begin(self, reference: str, session: str = SESSION, answered: bool = True) -> None:
        self.memory.begun(Begun(reference, 1, session))
        if answered:
            self.memory.answered(Answered(reference, 3, 9))


class MemoryTests(MemoryCase):
    """Rows in memory."""

    def test_calls(self) -> None:
        """Those of other sessions; after a new start those that were answered."""
        self.begin("a")
        self.begin("b", OTHER)
        self.begin("c", answered=False)
        self.assertEqual([call.reference for call in self.memory.others(SESSION)], ["b"])
        self.assertEqual(len(self.memory.others("")), 3)
        again = EdgeMemory(self.path)
        self.assertEqual(again.others(""), [Call("a", 1, SESSION, 3, 9), Call("b", 1, OTHER, 3, 9)])
        again.forget("a")
        self.assertEqual([call.reference for call in again.others("")], ["b"])

    def test_session(self) -> None:
        """Of who has registered last: it is known when Kamailio is started anew, and calls are its own."""
        self.assertEqual(self.memory.session, "")
        for session in (OTHER, SESSION):
            self.memory.present(session)
        again = EdgeMemory(self.path)
        self.assertEqual(again.session, SESSION)
        section, paths = TrunkSection(carriers=["192.0.2.1:5060"], listen="192.0.2.2:5060"), Path("/x")
        text = kamailio.configuration(
            section, TrunkGrant("a"), kamailio.Paths(paths, paths), "#m", again.session
        )
        told = re.search(r'"shvset", "session=s:([0-9a-f]+)"', text)
        assert told is not None
        begun = read(f"begun id=61;cseq=1;session={told[1]}")
        assert isinstance(begun, Begun)
        again.begun(begun)
        self.assertEqual(again.others(SESSION), [])

    def test_records(self) -> None:
        """In the order in which calls ended, until they are dropped; a call is over with its record."""
        self.begin("call@example")
        self.assertEqual(self.memory.add(RECORD), 0)
        self.assertEqual(self.memory.others(""), [])
        other = EdgeRecord("x", "out", "+1", "+2", 1, 0, 2, 486)
        self.memory.add(other)
        again = EdgeMemory(self.path)
        number, records = again.oldest(1)
        self.assertEqual(records, [RECORD])
        again.drop(number)
        self.assertEqual(again.oldest(9)[1], [other])

    def test_bound(self) -> None:
        """The oldest go, and it is told how many."""
        self.patch(memory, "MOST_RECORDS", 3)
        self.patch(memory, "MOST_CALLS", 3)
        lost = [self.memory.add(EdgeRecord(str(n), "in", "", "+1", n, 0, n, 480)) for n in range(5)]
        self.assertEqual(lost, [0, 0, 0, 1, 1])
        self.assertEqual([each.reference for each in self.memory.oldest(9)[1]], ["2", "3", "4"])
        for number in range(5):
            self.begin(str(number))
        self.assertEqual(len(self.memory.others("")), 3)


class EndingTests(MemoryCase):
    """Calls whose Janus is gone."""

    def _ended(self, session: str, ask: Callable[..., bool]) -> None:
        """All that comes of it, and nothing is left to do."""
        self.patch(ending, "AGAIN", 0.01)
        thread = Ending(self.memory, ask, self.said.append)
        thread.start()
        thread.but(session)
        thread.stop()

    def test_each_in_its_way(self) -> None:
        """Dialogs are ended, calls that still ring are cancelled, those of the session go on."""
        self.begin("a", OTHER)
        self.begin("b", OTHER, answered=False)
        self.begin("c")
        asked: list[tuple[object, ...]] = []

        def ask(*what: object) -> bool:
            asked.append(what)
            self.memory.forget({"dlg.end_dlg": "a", "tm.cancel": "b"}[str(what[0])])
            return True

        self._ended(SESSION, ask)
        self.assertEqual(asked, [("dlg.end_dlg", 3, 9), ("tm.cancel", "b", "1")])
        self.assertEqual(self.said, [])

    def test_gone_already(self) -> None:
        """What Kamailio knows no more is over."""
        self.begin("a", OTHER)
        self._ended(SESSION, lambda *_: False)
        self.assertEqual(self.memory.others(""), [])

    def test_no_answer(self) -> None:
        """It is tried some times, and said."""
        self.begin("a", OTHER)
        asked: list[object] = []

        def ask(*what: object) -> bool:
            asked.append(what)
            raise NoAnswer

        self.patch(ending, "TRIES", 2)
        self._ended(SESSION, ask)
        self.assertGreaterEqual(len(asked), 1)
        self.assertEqual(len(self.memory.others("")), 1)

    def test_memory_away(self) -> None:
        """What cannot be looked up now is tried again, and said."""
        self.begin("a", OTHER)
        others, asked = self.memory.others, [sqlite3.OperationalError("locked")]

        def away(session: str) -> list[Call]:
            if asked:
                raise asked.pop()
            return others(session)

        self.patch(self.memory, "others", away)
        thread = Ending(self.memory, lambda *_: False, self.said.append)
        self.assertEqual([thread._end_all(SESSION) for _ in range(3)], [False, False, True])
        self.assertEqual(self.said, ["Calls of a Janus that is gone are ended later: locked"])


class SendingTests(MemoryCase):
    """Records on their way to the node."""

    def _sending(self, send: Callable[[Sequence[EdgeRecord]], None]) -> Sending:
        self.patch(sending, "SOON", 0.01)
        return Sending(self.memory, send, self.said.append)

    def test_handed_over(self) -> None:
        """All of them, a batch at a time, once."""
        self.patch(sending, "BATCH", 2)
        for number in range(5):
            self.memory.add(EdgeRecord(str(number), "in", "", "+1", number, 0, number, 480))
        taken: list[list[str]] = []
        thread = self._sending(lambda records: taken.append([each.reference for each in records]))
        thread.start()
        thread.stop()
        self.assertEqual(taken, [["0", "1"], ["2", "3"], ["4"]])
        self.assertEqual(self.memory.oldest(9), (0, []))

    def test_away(self) -> None:
        """What a node does not take is kept for it; this is said once."""
        self.memory.add(RECORD)
        times: list[int] = []

        def send(records: Sequence[EdgeRecord]) -> None:
            times.append(len(records))
            if len(times) < 4:
                raise NotGranted("no node answers")

        thread = self._sending(send)
        while len(times) < 4:
            self.assertFalse(thread._hand_over() and len(times) < 4)
        self.assertEqual(len(self.said), 1)
        self.assertEqual(self.memory.oldest(9), (0, []))

    def test_memory_away(self) -> None:
        """Nor is that the end of it."""
        self.memory.add(RECORD)
        oldest = self.memory.oldest

        def away(limit: int) -> tuple[int, list[EdgeRecord]]:
            raise sqlite3.OperationalError("locked")

        self.patch(self.memory, "oldest", away)
        thread = self._sending(lambda records: None)
        self.assertFalse(thread._hand_over())
        self.patch(self.memory, "oldest", oldest)
        self.assertTrue(thread._hand_over())

    def test_stopped_while_away(self) -> None:
        """It stays where the next one finds it."""
        self.memory.add(RECORD)

        def send(records: Sequence[EdgeRecord]) -> None:
            raise NotGranted("no node answers")

        thread = self._sending(send)
        thread.start()
        thread.stop()
        self.assertEqual(EdgeMemory(self.path).oldest(9)[1], [RECORD])
