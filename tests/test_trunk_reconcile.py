"""Records of the edge: kept by the node, given its secrets, and compared with the node's own."""

import json
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from datetime import UTC, datetime
from io import StringIO
from types import SimpleNamespace
from typing import Any, cast

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs
from twisted.internet.defer import maybeDeferred
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.admin import carrier_wire as wire
from safeum_home.admin import cli
from safeum_home.admin.cli import main
from safeum_home.admin.money_wire import CdrParams, CdrRows
from safeum_home.admin.reconcile import (
    MISSING_HERE,
    MISSING_THERE,
    NUMBERS,
    TALK,
    OwnRecord,
    differences,
)
from safeum_home.config import parse
from safeum_home.errors import Code, Problem
from safeum_home.grants.trunk import LAST, EdgeRecord
from safeum_home.node.carrier_operation import carrier_handlers
from safeum_home.ports.money import Direction, Disposition, Over, Released
from safeum_home.safenum.money.cdr import COLUMNS, Cdr, CdrBook, record_of
from safeum_home.safenum.money.edge_book import EdgeBook
from safeum_home.safenum.money.months import month_of, month_text
from safeum_home.sealing.root import generate
from safeum_home.sealing.vault import open_vault
from tests.instant_database import InstantDatabase
from tests.test_config import NODE
from tests.test_trunk import LEAST
from tests.world_parts import arena

THEN = 1_795_974_000_000
OURS, THEIRS = "+354490001", "+4930123456"


def seen(reference: str = "a", talk: int = 60_000, began: int = THEN, **more: Any) -> EdgeRecord:
    """What the edge has seen; not answered where `talk` is 0."""
    answered = began + 5_000 if talk else 0
    whole = EdgeRecord(
        reference, "in", THEIRS, OURS, began, answered, began + 5_000 + talk, 0 if talk else 486
    )
    return msgspec.structs.replace(whole, **more)


def own(record: EdgeRecord) -> OwnRecord:
    """The same as the node has it."""
    return OwnRecord(
        record.reference, record.direction, record.caller, record.called, record.answered, record.ended
    )


class ComparedTests(SynchronousTestCase):
    """`differences`."""

    def found(
        self, ours: Sequence[OwnRecord], edge: Sequence[EdgeRecord], unanswered: bool = False
    ) -> list[str]:
        return [each.what for each in differences(ours, edge, 1_000, unanswered)]

    def test_same(self) -> None:
        """What differs by no more than is let pass, in the last second."""
        records = [seen("a"), seen("b", 0), seen("c", 1_000)]
        self.assertEqual(self.found([own(each) for each in records], records, True), [])
        late = own(records[0])._replace(ended=records[0].ended + 1_000)
        self.assertEqual(self.found([late], records[:1]), [])
        self.assertEqual(self.found([late._replace(ended=late.ended + 1)], records[:1]), [TALK])

    def test_missing(self) -> None:
        """On either side; what was not answered only where it is asked for."""
        self.assertEqual(self.found([], [seen()]), [MISSING_HERE])
        self.assertEqual(self.found([own(seen())], []), [MISSING_THERE])
        self.assertEqual(self.found([own(seen("x", 0))], [seen("y", 0)]), [])
        both = self.found([own(seen("x", 0))], [seen("y", 0)], True)
        self.assertEqual(both, [MISSING_HERE, MISSING_THERE])
        # It never came as far as the edge.
        self.assertEqual(self.found([own(seen(""))], []), [])

    def test_other(self) -> None:
        """Other numbers, or another way."""
        for changed in (seen(caller=""), seen(called=THEIRS), seen(direction="out")):
            self.assertEqual(self.found([own(seen())], [changed]), [NUMBERS])
        self.assertEqual(self.found([own(seen(talk=0))], [seen()]), [TALK])

    @given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from((0, 900, 60_000))), max_size=6))
    def test_itself(self, calls: list[tuple[str, int]]) -> None:
        """Whatever is compared with itself is the same, also where a Call-ID is there several times."""
        records = [seen(name, talk, THEN + 100_000 * n) for n, (name, talk) in enumerate(calls)]
        self.assertEqual(self.found([own(each) for each in reversed(records)], records, True), [])
        self.assertEqual(len(self.found([], records, True)), len(records))


class BookCase(SynchronousTestCase):
    """What a node keeps."""

    def setUp(self) -> None:
        self.database = InstantDatabase()
        self.vault = open_vault(generate(arena()), None)
        keyring, blinder = self.vault.keyring, self.vault.blinder
        self.book, self.cdrs = EdgeBook(keyring, blinder), CdrBook(keyring, blinder)
        self.month = month_of(THEN)

    def put(self, *records: EdgeRecord) -> None:
        self.successResultOf(self.database.transact(lambda c: self.book.put(c, records)))

    def page(self, after: bytes = b"", limit: int = 10) -> tuple[list[EdgeRecord], bytes | None]:
        return self.successResultOf(self.database.read(lambda c: self.book.page(c, self.month, after, limit)))

    def put_own(self, record: EdgeRecord) -> None:
        over = Over(
            record.ended,
            record.answered,
            Disposition.ANSWERED if record.answered else Disposition.BUSY,
            record.sip,
            16,
            Released.CALLER,
            record.reference,
        )
        direction = Direction.OUT if record.direction == "out" else Direction.IN
        made: Cdr = record_of(
            record.caller, record.called, direction, record.began, "carrier", record.reference, over
        )
        self.successResultOf(self.database.transact(lambda c: self.cdrs.put(c, made)))


class BookTests(BookCase):
    """`EdgeBook`."""

    def test_once(self) -> None:
        """However often it comes; the same Call-ID at another time is another call."""
        for _ in range(3):
            self.put(seen("a"), seen("b"), seen("a"))
        self.put(seen("a", began=THEN + 1))
        found, behind = self.page()
        self.assertEqual(sorted(each.reference for each in found), ["a", "a", "b"])
        self.assertIsNone(behind)

    def test_last_moment(self) -> None:
        """Whatever time is understood as one can be kept; what no calendar has is refused."""
        last = structs.replace(seen("last"), ended=LAST)
        self.put(last)
        self.month = month_of(LAST)
        self.assertEqual(self.page()[0], [last])
        told = msgspec.json.encode({"records": [structs.replace(last, ended=LAST + 1)]})
        with self.assertRaises(msgspec.ValidationError):
            msgspec.json.decode(told, type=wire.CarrierRecordsParams)

    def test_pages(self) -> None:
        """All of them, none twice."""
        self.put(*(seen(str(number)) for number in range(7)))
        found: list[EdgeRecord] = []
        after: bytes | None = b""
        while after is not None:
            page, after = self.page(after, 3)
            found += page
        self.assertEqual(sorted(each.reference for each in found), list("0123456"))

    def test_sealed(self) -> None:
        """Nothing of a call can be read in the rows."""
        self.put(seen("canary@example"))

        def rows(c: Any) -> bytes:
            return b"".join(
                value
                for row in c.exec_driver_sql("SELECT * FROM edge_records")
                for value in row
                if isinstance(value, bytes)
            )

        found = self.successResultOf(self.database.read(rows))
        for canary in (b"canary", OURS[1:].encode(), THEIRS[1:].encode()):
            self.assertNotIn(canary, found)

    def test_gone_with_their_month(self) -> None:
        """Where no other record is of that month, too."""
        self.put(seen())
        epoch = self.vault.keyring.epoch
        gone = self.database.transact(lambda c: self.cdrs.drop_before(c, self.month + 1, epoch))
        self.assertEqual(self.successResultOf(gone), 1)
        self.assertEqual((self.page(), self.database.count("keys")), (([], None), 0))


class OperationTests(BookCase):
    """The commands at the node, and `cdr reconcile` on them."""

    def setUp(self) -> None:
        super().setUp()
        proof = 'login = "us"\nproof = "secret:carrier"\n'
        self.vault.secrets.set("carrier", b"hunter2")
        self.node: Any = SimpleNamespace(
            config=parse(f"{NODE}{LEAST}{proof}"),
            seal=SimpleNamespace(vault=self.vault),
            database=self.database,
            domain=SimpleNamespace(money=SimpleNamespace(edge=self.book)),
            status="sealed",
        )
        self.handlers = carrier_handlers(cast(Any, self.node))

    def ask(self, method: str, params: Any) -> Any:
        return self.successResultOf(maybeDeferred(self.handlers[method].call, params))

    def test_grant(self) -> None:
        """Each is given its own secrets alone, the same at each start."""
        edge, janus = (self.ask("carrier.grant", wire.CarrierGrantParams(part)) for part in wire.PARTS)
        self.assertEqual((edge.password, janus.password), ("hunter2", ""))
        self.assertNotEqual(edge.shared, janus.shared)
        self.assertEqual(edge.shared, self.vault.carrier_key("edge").hex())
        self.assertNotIn("hunter2", repr(edge))

    def refused(self, method: str, params: Any) -> Code:
        failure = self.failureResultOf(maybeDeferred(self.handlers[method].call, params), Problem)
        return cast(Code, failure.value.code)

    def test_refused(self) -> None:
        """Without a trunk, with a secret that is not there, and while the node is sealed."""
        grant = wire.CarrierGrantParams("kamailio")
        self.vault.secrets.delete("carrier")
        self.assertIs(self.refused("carrier.grant", grant), Code.NOT_FOUND)
        self.node.domain = None
        self.assertIs(self.refused("carrier.records", wire.CarrierRecordsParams([])), Code.SEALED)
        self.node.config = parse(NODE)
        self.assertIs(self.refused("carrier.grant", grant), Code.WRONG_STATE)
        self.assertIs(self.refused("carrier.edge", wire.EdgeParams("2026-11")), Code.WRONG_STATE)

    def reconcile(self, *options: str) -> tuple[int, str]:
        """`cdr reconcile`, asking this node."""

        def call(_socket: str, method: str, params: Any, result: type[Any], **_: Any) -> Any:
            if method != "cdr":
                return self.ask(method, params)
            assert isinstance(params, CdrParams)
            year, month = map(int, params.month.split("-"))
            page = self.database.read(lambda c: self.cdrs.page(c, year * 12 + month - 1, params.after, 2))
            records, behind = self.successResultOf(page)
            return CdrRows(list(COLUMNS), [record.fields() for record in records], behind or 0)

        self.patch(cli, "call", call)
        with redirect_stdout(StringIO()) as said, redirect_stderr(StringIO()):
            command = ["cdr", "reconcile", "--month", month_text(self.month), "--socket", "x", *options]
            code = main(command)
        return code, said.getvalue()

    def tell(self, *records: EdgeRecord) -> None:
        self.ask("carrier.records", wire.CarrierRecordsParams(list(records)))

    def test_no_difference(self) -> None:
        """Both have the same."""
        for number in range(5):
            record = seen(str(number), talk=0 if number == 2 else 60_000)
            self.tell(record)
            self.put_own(record)
        self.assertEqual(self.reconcile("--all"), (0, "There is no difference.\n"))

    def test_differences(self) -> None:
        """Each is a line, or a row, or an object; the exit code tells that there are some."""
        here, there, both = seen("here"), seen("there"), seen("both")
        self.tell(there, both)
        self.put_own(here)
        self.put_own(msgspec.structs.replace(both, ended=both.ended + 5_000, caller=""))
        code, said = self.reconcile()
        self.assertEqual(code, 1)
        self.assertIn(f"talk time: in both: here withheld to {OURS}, 65.000 s; at the edge {THEIRS}", said)
        self.assertIn("missing at the edge: in here: ", said)
        self.assertIn("missing here: in there: ", said)
        self.assertIn("2 records here, 2 at the edge, 4 differences.", said)
        code, said = self.reconcile("--csv")
        self.assertEqual((code, len(said.splitlines())), (1, 5))
        code, said = self.reconcile("--json")
        self.assertEqual(
            {each["difference"] for each in json.loads(said)}, {MISSING_HERE, MISSING_THERE, NUMBERS, TALK}
        )

    def test_beside_the_month(self) -> None:
        """A call at midnight, which one of the two has in the month before, is missing nowhere."""
        midnight = int(datetime(2026, 12, 1, tzinfo=UTC).timestamp() * 1000)
        late = seen("late", began=midnight - 65_001)
        self.tell(late)
        self.put_own(msgspec.structs.replace(late, ended=midnight + 100))
        self.month = month_of(midnight)
        self.assertEqual(self.reconcile()[0], 0)
        self.month -= 1
        self.assertEqual(self.reconcile()[0], 0)

    def test_nothing_obeys(self) -> None:
        """Nothing of what a carrier says is for a terminal to obey."""
        self.tell(seen("\x1b[2J=cmd"))
        code, said = self.reconcile()
        self.assertEqual(code, 1)
        self.assertNotIn("\x1b", said)
