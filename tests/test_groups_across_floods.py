"""Hubs and members' nodes that say too much: what they can fill, and how fast."""

from collections.abc import Callable
from itertools import count
from typing import Any, ClassVar

import msgspec
from twisted.internet.defer import Deferred

from safeum_home.chats.across.groups import telling as group_telling
from safeum_home.errors import Code, Problem
from safeum_home.ids import AccountId, ChatId, group_id, system_account
from safeum_home.protocol.federation.events import Event, new_event
from safeum_home.protocol.federation.groups import Called
from safeum_home.protocol.federation.questions import GroupAnswer, GroupCommand
from safeum_home.storage import group_nodes
from tests.groups_across_case import A, B, C
from tests.posts_hostile_case import HostileCase


class FloodCase(HostileCase):
    def setUp(self) -> None:
        super().setUp()
        self.ids = count()

    def of_hub(self, words: str = "hi", chat: str = "") -> Event:
        """A message that the hub has from one of its own accounts."""
        post = self.post(
            self.alice, self.message(words), f"m{next(self.ids)}", chat=ChatId(chat or self.chat)
        )
        content = {"at": self.now, "event": msgspec.to_builtins(post)}
        return new_event("group.message", system_account(A), self.now, content, ChatId(chat or self.chat))

    def told(self, type: str, content: dict[str, Any]) -> Event:
        return new_event(type, system_account(A), self.now, content, ChatId(self.chat))

    def taken(self, event: Event, node: str = B) -> bool:
        """Whether a node takes what the hub tells; else it is to be told again later."""
        try:
            self.hear(node, A, event)
        except Problem as problem:
            self.assertIs(problem.code, Code.RATE_LIMITED)
            assert problem.retry_after is not None
            return False
        return True


class HubTests(FloodCase):
    """One hub."""

    limits: ClassVar[dict[str, Any]] = {"events_per_hub": 0.1, "events_per_hub_burst": 300}

    def fill(self) -> None:
        while self.taken(self.of_hub()):
            self.assertLess(self.events(B), 1_000)

    def test_everything(self) -> None:
        """All that a hub tells counts; it has to wait with the rest, and loses nothing."""
        self.fill()
        last = self.of_hub("last")
        who = {"account": self.amy.account, "address": "amy@a.example"}
        passed = msgspec.to_builtins(
            self.post(
                self.alice, {"act": "reaction", "message": {"node": A, "id": "m1"}, "emoji": "👍"}, "r1"
            )
        )
        before = self.rows_of(B)
        for event in (
            last,
            self.told("group", {"name": "x"}),
            self.told("group.entry", {"who": who, "state": "left"}),
            self.told("group.reaction", {"at": self.now, "event": passed}),
            self.told("group.change", last.content),
            self.told("group.pins", {"pinned": []}),
            self.told("group.over", {}),
        ):
            self.assertFalse(self.taken(event), event.type)
        self.assertEqual(self.rows_of(B), before)
        self.assertTrue(self.taken(self.of_hub(), C))
        self.nodes[B].settle(11)
        self.assertTrue(self.taken(last))
        self.assertEqual(self.words(self.bob, self.chat)[-1], "last")

    def test_size(self) -> None:
        """A long message counts as several."""
        self.assertTrue(self.taken(self.of_hub()))
        long, taken = "x" * 8192, 0
        while self.taken(self.of_hub(long)):
            taken += 1
            self.assertLess(taken, 34)
        self.assertGreater(taken, 10)


class PostTests(FloodCase):
    """A member's node that takes nothing back."""

    def test_refused(self) -> None:
        """Answers to what is refused wait up to a number; then that node has to."""
        dan = self.nodes[B].register("dan")
        peers = self.nodes.peers[A]
        peers.held.add(B)
        act = {"act": "reaction", "message": {"node": A, "id": "m1"}, "emoji": "👍"}
        refused = [
            (dan, self.message(), {}),
            (self.bob, self.message(), {"chat": ChatId("!" + "a" * 26)}),
            (self.bob, act, {}),
        ]
        for author, content, more in refused:
            self.hear(A, B, self.post(author, content, f"p{next(self.ids)}", **more))
        self.assertEqual(len(peers.waiting), 3)
        peers.most[B] = 0
        before = self.rows_of(A)
        for author, content, more in refused:
            event = self.post(author, content, f"p{next(self.ids)}", **more)
            self.assertIs(self.assertRaises(Problem, self.hear, A, B, event).code, Code.BUSY)
        self.assertEqual(len(peers.waiting), 3)
        self.assertEqual(self.rows_of(A), before)
        self.hear(A, B, self.post(self.bob, self.message("taken"), f"p{next(self.ids)}"))
        self.assertEqual(self.words(self.alice, self.chat)[-1], "taken")
        peers.most.clear()
        self.hear(A, B, event)
        peers.held.clear()


class RejoinTests(FloodCase):
    """A node whose only member leaves and comes back, again and again."""

    def ask(self, method: str, **params: Any) -> str | None:
        """What Carol's node asks for her; the code where that is refused."""
        carol = AccountId(self.carol.account)
        answer: Any = self.nodes[A].domain.answers[GroupCommand]
        done: list[Any] = []
        asked = GroupCommand(Called(carol, carol), method, params)
        Deferred.fromCoroutine(answer(C, asked)).addBoth(done.append)
        return None if isinstance(done[0], GroupAnswer) else str(done[0].value.code.value.code)

    def again(self) -> str | None:
        """Leave and come back: what the latter is refused with."""
        self.assertIsNone(self.ask("group.leave", chat=self.chat))
        return self.ask("group.join", link=self.link)

    def setUp(self) -> None:
        self.patch(group_telling, "ANEW_BURST", 500)
        super().setUp()
        self.come(self.alice, "group.set", chat=self.chat, earlier=True)
        self.link = self.come(self.alice, "group.link.reset", chat=self.chat)["link"]
        for number in range(30):
            self.write(self.alice, f"m{number}")

    def test_how_often(self) -> None:
        """What is told anew has a limit, also where that node takes it all; a while later it goes on."""
        noted = 0
        code: str | None = None
        for _ in range(1_000):
            if (code := self.again()) is not None:
                break
            noted += sum(row.node == C for row in self.nodes.peers[A].waiting)
            self.nodes.peers[A].waiting.clear()
        self.assertEqual(code, "rate_limited")
        self.assertGreater(noted, 30)
        self.nodes[A].settle(3_600)
        self.assertIsNone(self.ask("group.join", link=self.link))
        self.nodes.peers[A].waiting.clear()

    def test_nothing_taken(self) -> None:
        """While as much waits for that node as may, nobody of it comes in as the first."""
        peers = self.nodes.peers[A]
        peers.most[C] = 0
        self.assertEqual(self.again(), "busy")
        self.assertNotIn("carol@c.example", self.names())
        peers.most.clear()
        self.assertIsNone(self.ask("group.join", link=self.link))
        peers.waiting.clear()

    def names(self) -> list[str]:
        return [name for name, (_, state) in self.roster(self.alice, self.chat).items() if state == "member"]


class BeginningTests(FloodCase):
    """A copy is begun anew, again and again, for somebody whom the hub never lets in."""

    def test_begins(self) -> None:
        """As often as an account may erase what is written: each time the keyring turns."""
        world, chat = self.nodes[B], ChatId(self.chat)
        blinder = world.vault.blinder
        dan = blinder.account(AccountId(world.register("dan").account))
        world.database.transact(lambda c: group_nodes.agree(c, blinder.chat(chat), dan))
        group = self.nodes[A].domain.registry.get(chat)
        assert group is not None and group.record.group is not None
        seed, before, times = group.record.group.seed, world.domain.turns.epoch, 0
        for times in range(50):
            self.assertTrue(self.taken(self.of_hub()))
            begins = self.told("group", {"name": "x", "begins": f"life {times}", "seed": seed})
            if not self.taken(begins):
                break
            world.settle(20)
        self.assertLess(times, 10)
        self.assertGreater(times, 3)
        self.assertEqual(world.domain.turns.epoch, before + times)
        self.assertEqual(self.events(B), 1)
        world.settle(100)
        self.assertTrue(self.taken(begins))
        world.domain.control.limits.set("history_switches_per_account_burst", "40")
        for more in range(8):
            self.assertTrue(self.taken(self.of_hub()))
            self.assertTrue(self.taken(self.told("group", {"name": "x", "begins": f"{more}", "seed": seed})))
            world.settle(20)


class LifeTests(FloodCase):
    """A hub that has a copy erased again and again."""

    def test_lives(self) -> None:
        """As often as an account may, be it told so or of a message; then it waits, and nothing is erased."""
        ways: tuple[Callable[[int], Event], ...] = (self.switched, self.of_life)
        for way in ways:
            self.setUp()
            times = 0
            for times in range(1, 50):
                if not self.taken(way(times)):
                    break
            self.assertLess(times, 10)
            self.assertGreater(times, 3)
            before = self.rows_of(B)
            self.assertFalse(self.taken(way(times)))
            self.assertEqual(self.rows_of(B), before)
            self.nodes[B].settle(100)
            self.assertTrue(self.taken(way(times)))
            self.assertFalse(self.taken(way(times + 1)))

    def test_changed_while_it_runs(self) -> None:
        """The limit of the operator's own accounts is that of hubs, and nobody uses up another's."""
        limits = self.nodes[B].domain.control.limits
        limits.set("history_switches_per_account_burst", "20")
        for times in range(1, 21):
            self.assertTrue(self.taken(self.switched(times)), times)
        self.assertFalse(self.taken(self.switched(21)))
        [row] = [each for each in limits.rows() if each.name == "history_switches_per_account"]
        self.assertEqual(row.held_back, 1)
        own = self.bob.call("group.create", client_id="own", name="Own")["chat"]["chat"]
        self.assertFalse(self.come(self.bob, "chat.history.set", chat=own, enabled=False)["history"])

    def switched(self, life: int) -> Event:
        return self.told("group.history", {"life": life, "kept": False})

    def of_life(self, life: int) -> Event:
        event = self.of_hub()
        post = {**event.content["event"], "content": {**event.content["event"]["content"], "life": life}}
        return self.told("group.message", {**event.content, "event": post, "life": life})


class NobodyTests(FloodCase):
    """Copies that nobody is in."""

    def test_invitation(self) -> None:
        """Nothing is written into a group that somebody is only invited into."""
        chat = group_id(A, "seed")
        by = {"account": self.alice.account, "address": "alice@a.example"}
        who = {"account": self.ben.account, "address": "ben@b.example"}
        content = {"who": who, "state": "invited", "by": by, "group": {"name": "Trap", "seed": "seed"}}
        self.hear(B, A, new_event("group.entry", system_account(A), self.now, content, chat))
        before = self.rows_of(B)
        problem = self.assertRaises(Problem, self.hear, B, A, self.of_hub(chat=chat))
        self.assertIs(problem.code, Code.NOT_A_CONTACT)
        self.assertEqual(self.rows_of(B), before)
