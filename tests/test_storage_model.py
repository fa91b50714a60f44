"""Markers and recognition held against models, whatever rows come and however they are grouped."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.storage.chats import insert_chat, members, put_markers
from safeum_home.storage.database import backend_for
from safeum_home.storage.events import append_events, events_after
from safeum_home.storage.migrate import migrate
from safeum_home.storage.rows import ChatRow, EventRow, Marker, MemberRow, NewEvent
from tests import postgres
from tests.storage import blind, wrap

_far = st.integers(0, 6)
_marks = st.lists(st.lists(st.tuples(st.sampled_from("abx"), _far, _far), max_size=20), max_size=5)
_sent = st.lists(
    st.lists(st.tuples(st.sampled_from("xy"), st.sampled_from("de"), st.integers(0, 9)), max_size=20),
    max_size=5,
)


class ModelCase(SynchronousTestCase):
    def open(self, url: str) -> None:
        backend = backend_for(url)
        self.connection = backend.writer()
        self.addCleanup(self.connection.close)
        migrate(backend, self.connection)

    def check_markers(self, groups: list[list[tuple[str, int, int]]]) -> None:
        """A marker is the furthest that a member said, at the position where it last moved; others have none."""
        model = {"a": (0, 0, 0), "b": (0, 0, 0)}
        position = 0
        with self.connection.begin() as transaction:
            insert_chat(
                self.connection, ChatRow(blind("chat"), 1, b"", wrap()), [blind(one) for one in model]
            )
            for group in groups:
                rows, expected = [], []
                for account, delivered, read in group:
                    position += 1
                    rows.append(Marker(blind("chat"), blind(account), delivered, read, position))
                    before = model.get(account)
                    moved = before is not None and (delivered > before[0] or read > before[1])
                    if before is not None and moved:
                        model[account] = (max(delivered, before[0]), max(read, before[1]), position)
                    stands = Marker(blind("chat"), blind(account), *model[account]) if moved else None
                    expected.append(stands)
                self.assertEqual(put_markers(self.connection, rows), expected)
            found = members(self.connection, blind("chat"))
            transaction.rollback()
        self.assertEqual(
            found, [MemberRow(blind("chat"), blind(name), *model[name]) for name in sorted(model)]
        )

    def check_recognised(self, groups: list[list[tuple[str, str, int]]]) -> None:
        """The first of what has the same device and client id is stored, and named to all later ones."""
        model: dict[tuple[str, int], int] = {}
        stored: dict[str, list[EventRow]] = {"x": [], "y": []}
        position = 0
        with self.connection.begin() as transaction:
            for group in groups:
                rows: list[NewEvent] = []
                expected: list[Any] = []
                for chat, device, client_id in group:
                    position += 1
                    event = EventRow(blind(chat), position, b"%d" % position)
                    rows.append(NewEvent(*event, blind(f"{device} {client_id}")))
                    earlier = model.setdefault((device, client_id), position)
                    expected.append(None if earlier == position else earlier)
                    if earlier == position:
                        stored[chat].append(event)
                self.assertEqual(append_events(self.connection, rows), expected)
            found = {chat: events_after(self.connection, blind(chat), 0, 1_000) for chat in stored}
            transaction.rollback()
        self.assertEqual(found, stored)


class SqliteModelTests(ModelCase):
    def setUp(self) -> None:
        self.open(f"sqlite:///{self.mktemp()}")

    @settings(max_examples=60, deadline=None)
    @given(_marks)
    def test_markers(self, groups: list[list[tuple[str, int, int]]]) -> None:
        self.check_markers(groups)

    @settings(max_examples=60, deadline=None)
    @given(_sent)
    def test_recognised(self, groups: list[list[tuple[str, str, int]]]) -> None:
        self.check_recognised(groups)


class PostgresModelTests(ModelCase):
    def setUp(self) -> None:
        self.open(postgres.url())

    @settings(max_examples=60, deadline=None)
    @given(_marks)
    def test_markers(self, groups: list[list[tuple[str, int, int]]]) -> None:
        self.check_markers(groups)

    @settings(max_examples=60, deadline=None)
    @given(_sent)
    def test_recognised(self, groups: list[list[tuple[str, str, int]]]) -> None:
        self.check_recognised(groups)
