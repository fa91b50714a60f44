"""What reading costs: it grows with what is found, and not with what there is."""

import sqlite3
from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.storage import (
    changes,
    chat_list,
    chats,
    contacts,
    events,
    group_endings,
    profiles,
    roster,
    settings,
)
from safeum_home.storage.rows import ChatRow, ContactRow, EventRow, Marker, NewEvent, ProfileRow
from tests.instant_database import InstantDatabase
from tests.storage import blind, wrap

GROUP = 4
STEP = 10
"""Instructions of SQLite's machine that are counted as one."""


class WorkTests(SynchronousTestCase):
    """An account with 20 chats, each of 20 messages, and then of 400."""

    def setUp(self) -> None:
        self.database = InstantDatabase()
        self.reached = self.changed = 0
        self.now(self._chats)
        self.now(lambda c: self._messages(c, 20))

    def now(self, fn: Callable[[Connection], Any]) -> Any:
        return self.successResultOf(self.database.transact(fn))

    def _chats(self, c: Connection) -> None:
        for number in range(20):
            chat, peer = blind(f"chat {number}"), blind(f"peer {number}")
            chats.insert_chat(c, ChatRow(chat, 1, b"sealed", wrap()), [blind("ann"), peer])
            contacts.put_contact(c, ContactRow(blind("ann"), peer, chat, 3, 1, b"sealed"))
            contacts.put_contact(c, ContactRow(peer, blind("ann"), chat, 3, 1, b"sealed"))
            profiles.put_profile(c, ProfileRow(peer, 1, b"sealed"))

    def _messages(self, c: Connection, count: int) -> None:
        rows = []
        for _ in range(count):
            for number in range(20):
                self.reached += 1
                sent = blind(f"sent {self.reached}")
                rows.append(NewEvent(blind(f"chat {number}"), self.reached, b"s" * 300, sent))
        events.append_events(c, rows)
        # Half of them are changed; the last is behind `changed`.
        for row in rows[::2]:
            self.changed = self.reached
            self.reached += 1
            changes.rewrite(c, EventRow(row.chat, row.position, b"changed"), self.reached)

    def work(self, fn: Callable[..., object], *arguments: Any) -> int:
        """How much SQLite does for a read."""
        steps = 0

        def step() -> int:
            nonlocal steps
            steps += 1
            return 0

        def read(c: Connection) -> None:
            fn(c, *arguments)  # the statement is compiled, and its plan made
            driver: sqlite3.Connection = c.connection.driver_connection  # type: ignore[assignment]
            driver.set_progress_handler(step, STEP)
            fn(c, *arguments)
            driver.set_progress_handler(None, 0)

        self.successResultOf(self.database.read(read))
        return steps

    def all_work(self) -> dict[str, int]:
        """Of everything that is read when a device comes back, or begins: it has missed nothing."""
        ann, reached = blind("ann"), self.reached
        return {
            "list": self.work(chat_list.chats_of, ann, None, 10, GROUP),
            "events": self.work(events.events_since, ann, reached, 200),
            "last events": self.work(events.events_since, ann, reached - 10, 200),
            "markers": self.work(chats.markers_since, ann, reached, 200, GROUP),
            "undelivered": self.work(chats.undelivered, ann, reached),
            "changed": self.work(chats.chats_changed_since, ann, reached, 200),
            "changes": self.work(changes.changes_since, ann, reached, 200),
            "last changes": self.work(changes.changes_since, ann, self.changed, 200),
            "settings": self.work(settings.settings_since, ann, reached, 200),
            "contacts": self.work(contacts.contacts_since, ann, reached, 200),
            "profiles": self.work(profiles.profiles_since, ann, reached, 200),
            "own entries": self.work(roster.own_since, ann, reached, 200),
            "invitations": self.work(roster.invited_before, ann, reached, 200),
            "endings": self.work(group_endings.endings_since, ann, reached, 200),
            "entries": self.work(roster.others_since, ann, reached, 200),
            "newest": self.work(events.events_before, blind("chat 3"), None, 10),
            "members": self.work(chats.members_of, [blind("chat 3"), blind("chat 4")]),
            "among": self.work(events.events_among, [(blind(f"chat {number}"), 1) for number in range(7)]),
            "moved": self.work(
                chats.put_markers, [Marker(blind(f"chat {number}"), ann, 0, 0, 1) for number in range(7)]
            ),
            "accepting": self.work(contacts.accepting, [blind("chat 3"), blind("chat 4")]),
        }

    def test_long_chats_cost_no_more(self) -> None:
        """Twenty times as many messages lie behind what is asked for, and nothing goes through them."""
        before = self.all_work()
        self.now(lambda c: self._messages(c, 380))
        after = self.all_work()
        self.assertGreater(before["list"], 0)
        for name, steps in after.items():
            self.assertLessEqual(steps, before[name] + 5, name)

    def test_others_cost_nothing(self) -> None:
        """What other accounts have is not gone through either."""
        before = self.all_work()

        def others(c: Connection) -> None:
            for number in range(200):
                chat, one, two = (blind(f"{name} {number}") for name in ("other", "first", "second"))
                chats.insert_chat(c, ChatRow(chat, 1, b"sealed", wrap(), number), [one, two])
                contacts.put_contact(c, ContactRow(one, two, chat, 3, number, b"sealed"))
                profiles.put_profile(c, ProfileRow(one, self.reached + number, b"sealed"))
                self.reached += 1
                events.append_events(c, [NewEvent(chat, self.reached, b"s", blind(f"of {number}"))])

        reached = self.reached
        self.now(others)
        self.reached = reached
        for name, steps in self.all_work().items():
            self.assertLessEqual(steps, before[name] + 5, name)
