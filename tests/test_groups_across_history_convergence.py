"""Lives of a group at three nodes whose history is switched off and on: nothing of before comes back.

Whatever is told late, or written while another node is away or does not know of it yet: in the end all nodes
have the hub's life of the history, see the same messages of it, and none of an earlier one.
GROUPS_SEED and GROUPS_LIVES choose other lives than those of each run.
"""

import os
import random
from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred

from safeum_home.chats.groups import lives as group_lives
from safeum_home.errors import Problem
from safeum_home.ids import ChatId
from safeum_home.protocol.federation.events import Event
from tests.groups_across_case import A, B, C, GroupsAcrossCase
from tests.history_across_case import Shown, settle
from tests.world import Client, Refused

STEPS = 50
SEEDS = (1, 2, 3, 4, 1054)
PASSING = frozenset(("not_a_contact", "message_gone", "not_found", "busy", "receipt_refused"))
"""With what a node may refuse what was overtaken by something else."""


class HistoryLifeTests(GroupsAcrossCase):
    def setUp(self) -> None:
        super().setUp()
        self.people: dict[str, Client] = {
            "alice": self.alice,
            "amy": self.amy,
            "bob": self.bob,
            "ben": self.ben,
            "carol": self.carol,
        }
        self.chat = self.group(self.amy, self.bob, self.ben, self.carol)
        self.owner = "alice"
        self.devices = {name: Shown(client, self.chat) for name, client in self.people.items()}
        self.lives: dict[str, int] = {}
        """In which life its author's node had the history when a text was written."""
        self.log: list[str] = []
        self.flying: list[tuple[int, str, str, Event]] = []
        """What was built in a life, by whom, for whom."""
        self.came_late = 0

    def tearDown(self) -> None:
        codes = {p.code.code for peer in self.nodes.peers.values() for _, p in peer.refused}
        self.assertLessEqual(codes, PASSING)

    def test_lives(self) -> None:
        """Each life of its own seed."""
        first, lives = os.environ.get("GROUPS_SEED"), int(os.environ.get("GROUPS_LIVES", "1"))
        seeds = SEEDS if first is None else tuple(range(int(first), int(first) + lives))
        for place, seed in enumerate(seeds):
            if place:
                self.setUp()
            try:
                self.live(random.Random(seed))
            except Exception:
                print(f"seed {seed}:", *self.log, sep="\n  ")
                raise

    def live(self, chance: random.Random) -> None:
        steps: list[tuple[int, Callable[[random.Random], None]]] = [
            (9, self.write),
            (3, self.change),
            (5, self.switch),
            (1, self.hand_over),
            (4, self.cut),
            (2, self.away),
            (5, self.healed),
            (4, self.carry),
            (1, self.restart),
            (1, self.wait),
            (6, self.under_way),
            (3, self.late),
        ]
        weights = [weight for weight, _ in steps]
        for _ in range(STEPS):
            chance.choices([step for _, step in steps], weights)[0](chance)
            self.look()
        self.healed(chance)
        self.late(chance)
        for _ in range(4):
            settle(self.nodes)
        self.people[self.owner].ask("chat.history.set", chat=self.chat, enabled=True)
        settle(self.nodes)
        for name, client in self.people.items():
            number = self.say(name)
            settle(self.nodes)
            self.assertIsNotNone(client.answer(number), name)
        self.late(chance)
        settle(self.nodes)
        self.look()
        self.compare()

    # --- what is done

    def life(self, node: str) -> int:
        opened: list[Any] = []
        self.nodes[node].domain.registry.load(ChatId(self.chat)).addCallback(opened.append)
        return group_lives.life_of(opened[0].record)

    def node(self, name: str) -> str:
        return self.people[name].account.partition(":")[2]

    def say(self, name: str) -> int:
        text = f"{len(self.lives)} by {name}"
        self.lives[text] = self.life(self.node(name))
        self.log.append(f"writes {text} in {self.lives[text]}")
        client = self.people[name]
        return client.ask("chat.send", **{**client.message(self.chat, text), "client_id": text})

    def write(self, chance: random.Random) -> None:
        self.say(chance.choice(list(self.people)))

    def change(self, chance: random.Random) -> None:
        """A message is edited, reacted to, pinned, or deleted."""
        name = chance.choice(list(self.people))
        client = self.people[name]
        page = client.call("chat.history", chat=self.chat, limit=50)["messages"]
        own = [m for m in page if m["body"]["kind"] == "text" and m["sender"] == client.account]
        if not own:
            return
        message, what = chance.choice(own), chance.choice(("edit", "react", "delete", "pin"))
        about = {"chat": self.chat, "message": message["id"]}
        self.log.append(f"{name}: {what} {message['body']['text']}")
        if what == "edit":
            text = f"{message['body']['text']}, once more"
            self.lives[text] = self.life(self.node(name))
            client.ask("message.edit", **about, body={"kind": "text", "text": text})
        elif what == "react":
            client.ask("message.react", **about, emoji="👍")
        elif what == "delete":
            client.ask("message.delete", **about)
        else:
            self.people[self.owner].ask("chat.pin", **about)

    def switch(self, chance: random.Random) -> None:
        enabled = chance.random() < 0.4
        self.log.append(f"{self.owner}: history {enabled}")
        self.people[self.owner].ask("chat.history.set", chat=self.chat, enabled=enabled)

    def hand_over(self, chance: random.Random) -> None:
        """Somebody else is the owner, where the hub can be asked."""
        settle(self.nodes)
        name = chance.choice([name for name in self.people if name != self.owner])
        account = self.people[name].account
        try:
            self.people[self.owner].call("group.role", chat=self.chat, account=account, role="owner")
        except (Refused, AssertionError):
            return
        self.log.append(f"{name} is the owner")
        self.owner = name

    # --- what happens

    def cut(self, chance: random.Random) -> None:
        name, other = chance.sample((A, B, C), 2)
        self.log.append(f"{name} does not get through to {other}")
        self.nodes.peers[name].held.add(other)

    def away(self, chance: random.Random) -> None:
        name = chance.choice((A, B, C))
        self.log.append(f"{name} is away")
        self.nodes.away.add(name)

    def healed(self, chance: random.Random) -> None:
        self.log.append("all get through")
        self.nodes.away.clear()
        for peer in self.nodes.peers.values():
            peer.held.clear()

    def carry(self, chance: random.Random) -> None:
        self.log.append("carried")
        self.nodes.settle()

    def wait(self, chance: random.Random) -> None:
        settle(self.nodes)

    def under_way(self, chance: random.Random) -> None:
        """A copy of what waits is on its way from now on."""
        name = chance.choice((A, B, C))
        if not (waiting := [r for r in self.nodes.peers[name].waiting if r.type.startswith("group.")]):
            return
        row = chance.choice(waiting)
        kind = self.nodes._kind(name, row.type)
        built = self.nodes[name].database.now(lambda c: kind.build(c, row.pointer))
        if built is not None:
            self.log.append(f"{row.type} is on its way from {name} to {row.node}")
            self.flying.append((self.life(name), name, row.node, built))

    def late(self, chance: random.Random) -> None:
        """What was on its way comes after another life has begun where it comes."""
        for flying in self.flying[:]:
            life, name, node, event = flying
            if life >= self.life(node):
                continue
            self.flying.remove(flying)
            self.came_late += 1
            self.log.append(f"{event.type} of {name} comes late to {node}")
            kind = self.nodes._kind(node, event.type)
            try:
                self.nodes._apply(self.nodes[node], kind, kind.apply(name, event))
            except Problem as problem:
                self.assertIn(problem.code.code, PASSING)
            self.look()

    def restart(self, chance: random.Random) -> None:
        name = chance.choice((A, B, C))
        self.log.append(f"{name} is started anew")
        self.nodes.restart(name)
        self.nodes[name].domain.turns.turned()
        self.nodes[name].settle(30)
        for who, client in self.people.items():
            if client.account.endswith(name):
                again = Client(self.nodes[name])
                again.account, again.token, again.address = client.account, client.token, client.address
                self.people[who] = again.opened(again.call("session.resume", token=client.token, since=None))
                self.devices[who] = Shown(self.people[who], self.chat)
        for again_told in (self.nodes[name].domain.owed.give, self.nodes[name].domain.posts.again):
            self.successResultOf(Deferred.fromCoroutine(again_told()))

    # --- what comes of it

    def look(self) -> None:
        """No device shows what is of an earlier life than its node has."""
        for name, shown in self.devices.items():
            life = self.life(self.node(name))
            for text in shown.look():
                self.assertEqual(self.lives[text], life, f"{name}: {text}")

    def compare(self) -> None:
        life = self.life(A)
        for name, client in self.people.items():
            self.assertEqual(self.life(self.node(name)), life, name)
            info = self.info(client, self.chat)
            self.assertEqual((info["history"], info["pending"]), (True, []), name)
            page = client.call("chat.history", chat=self.chat, limit=200)
            texts = [m["body"]["text"] for m in page["messages"] if m["body"]["kind"] == "text"]
            self.assertEqual({self.lives[text] for text in texts}, {life}, name)
            self.assertEqual(page.get("waiting", []), [], name)
            truth = self.people["alice"].history(self.chat)
            self.assertEqual(texts, truth, name)
            self.assertEqual(len([text for text in texts if text.endswith(name)][-1:]), 1, name)
