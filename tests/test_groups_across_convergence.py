"""Lives of a group at three nodes: whatever is done, told late, or asked while another node is away, in
the end each node has it as the hub does.

GROUPS_SEED and GROUPS_LIVES choose other lives than those of each run.
"""

import os
import random
from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection

from safeum_home.chats.groups.roster import open_entry
from safeum_home.ids import AccountId, ChatId
from safeum_home.storage import chats, roster
from tests.groups_across_case import A, B, C, GroupsAcrossCase
from tests.world import PASSWORD, Client

STEPS = 40
SEEDS = (1, 2, 3, 123, 176)
"""Some of them have found faults."""
PIN = "284716"
CLOSING = ("amy", "ben", "carol")
"""Whose accounts may be closed."""
PASSING = frozenset(("not_a_contact", "node_unreachable", "busy", "message_gone", "not_found"))
"""With what a node may refuse what was overtaken by something else."""


class LifeTests(GroupsAcrossCase):
    def setUp(self) -> None:
        super().setUp()
        self.people: dict[str, Client] = {
            "alice": self.alice,
            "amy": self.amy,
            "bob": self.bob,
            "ben": self.ben,
            "carol": self.carol,
        }
        self.befriend(self.bob, self.carol)
        self.nodes[B].befriend(self.bob, self.ben)
        self.chat = self.create(self.amy, self.bob, self.carol)
        self.entrance = self.alice.call("group.link.reset", chat=self.chat)["link"]
        self.said = 0
        self.closed: set[str] = set()
        for who in CLOSING:
            self.people[who].call("account.pin.set", password=PASSWORD, pin=PIN)
        self.log: list[str] = []

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
            (8, self.write),
            (4, self.accept),
            (3, self.join),
            (3, self.invite),
            (3, self.leave),
            (3, self.remove),
            (2, self.role),
            (2, self.rename),
            (1, self.decline),
            (4, self.cut),
            (4, self.healed),
            (2, self.away),
            (5, self.carry),
            (1, self.restart),
            (1, self.close),
            (1, self.earlier),
            (2, self.wait),
        ]
        weights = [weight for weight, _ in steps]
        for _ in range(STEPS):
            chance.choices([step for _, step in steps], weights)[0](chance)
        self.nodes.away.clear()
        for peer in self.nodes.peers.values():
            peer.held.clear()
        for _ in range(6):
            self.settle()
            for world in self.nodes.worlds.values():
                world.settle(20)
        self.compare()

    # --- what is done

    def ask(self, who: str, method: str, **params: Any) -> None:
        named = {client.account: name for name, client in self.people.items()}
        about = [params.get("account"), *params.get("accounts", ())]
        self.log.append(f"{who}: {method} {[named[each] for each in about if each]}")
        if who not in self.closed:
            self.people[who].ask(method, **params)

    def who(self, chance: random.Random) -> str:
        return chance.choice(list(self.people))

    def account(self, chance: random.Random) -> str:
        return self.people[self.who(chance)].account

    def write(self, chance: random.Random) -> None:
        who = self.who(chance)
        self.said += 1
        words = f"{self.said} by {who}"
        self.log.append(f"{who}: writes {self.said}")
        client = self.people[who]
        if who not in self.closed:
            client.ask("chat.send", **client.message(self.chat, words))

    def accept(self, chance: random.Random) -> None:
        self.ask(self.who(chance), "group.accept", chat=self.chat)

    def decline(self, chance: random.Random) -> None:
        self.ask(self.who(chance), "group.decline", chat=self.chat)

    def join(self, chance: random.Random) -> None:
        self.ask(self.who(chance), "group.join", link=self.entrance)

    def invite(self, chance: random.Random) -> None:
        self.ask(self.who(chance), "group.invite", chat=self.chat, accounts=[self.account(chance)])

    def leave(self, chance: random.Random) -> None:
        if (who := self.who(chance)) != "alice":  # so that there is a group to the end
            self.ask(who, "group.leave", chat=self.chat)

    def remove(self, chance: random.Random) -> None:
        account = self.account(chance)
        if account != self.people["alice"].account:
            self.ask(
                chance.choice(("alice", self.who(chance))), "group.remove", chat=self.chat, account=account
            )

    def role(self, chance: random.Random) -> None:
        role = chance.choice(("admin", "member"))
        self.ask("alice", "group.role", chat=self.chat, account=self.account(chance), role=role)

    def rename(self, chance: random.Random) -> None:
        self.said += 1
        self.ask(self.who(chance), "group.set", chat=self.chat, name=f"Name {self.said}")

    def earlier(self, chance: random.Random) -> None:
        earlier = chance.choice((True, False))
        self.log.append(f"earlier: {earlier}")
        self.ask("alice", "group.set", chat=self.chat, earlier=earlier)

    def close(self, chance: random.Random) -> None:
        who = chance.choice(CLOSING)
        if who not in self.closed and chance.random() < 0.3:
            self.log.append(f"{who}: is closed")
            Client(self.people[who].world).ask("account.block", username=who, pin=PIN)
            self.closed.add(who)

    # --- what happens

    def cut(self, chance: random.Random) -> None:
        """One node does not get through to another, which asks it as before."""
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
        self.settle()

    def wait(self, chance: random.Random) -> None:
        for world in self.nodes.worlds.values():
            world.settle(5)

    def restart(self, chance: random.Random) -> None:
        name = chance.choice((A, B, C))
        self.log.append(f"{name} is started anew")
        self.nodes.restart(name)
        for who, client in self.people.items():
            if client.account.endswith(name) and who not in self.closed:
                again = Client(self.nodes[name])
                again.account, again.token, again.address = client.account, client.token, client.address
                self.people[who] = again.opened(again.call("session.resume", token=client.token, since=None))

    # --- what comes of it

    def compare(self) -> None:
        truth = self.roster(self.people["alice"], self.chat)
        name = self.info(self.people["alice"], self.chat)["group"]["name"]
        for who, client in self.people.items():
            if who in self.closed:
                self.assertNotIn(client.address, truth)
                self.assertNotIn(client.account, truth)
                continue
            state = truth.get(client.address, ("", "none"))[1]
            self.assertEqual(self.state(client), state, who)
            if state == "member":
                self.assertEqual(self.roster(client, self.chat), truth, who)
                self.assertEqual(self.info(client, self.chat)["group"]["name"], name, who)
                self.assertEqual(self.info(client, self.chat)["group"]["members"], len(self.members(truth)))
                # Who has come later than others of its node sees no more of before than that node has.
                shown = self.shown(client, self.chat)
                visible, least = self.visible(client)
                self.assertEqual(shown, visible[len(visible) - len(shown) :], who)
                self.assertGreaterEqual(len(shown), least, who)

    def members(self, roster: dict[str, tuple[str, str]]) -> list[str]:
        return [address for address, (_, state) in roster.items() if state == "member"]

    def state(self, client: Client) -> str:
        try:
            self.info(client, self.chat)
        except LookupError:
            invited = client.call("group.invitations")["invitations"]
            return "invited" if any(each["chat"] == self.chat for each in invited) else "none"
        return "member"

    def visible(self, client: Client) -> tuple[list[Any], int]:
        """What the hub has for a member, and how many of it were written since that came."""
        hub = self.nodes[A]
        blinder = hub.vault.blinder
        chat, account = blinder.chat(ChatId(self.chat)), blinder.account(AccountId(client.account))

        def read(c: Connection) -> tuple[int, int]:
            member, entry, row = (
                chats.member(c, chat, account),
                roster.entry(c, chat, account),
                chats.chat(c, chat),
            )
            assert member is not None and entry is not None and row is not None
            return member.visible, open_entry(hub.vault.keyring.unwrap(chat, row.key), entry).since

        after, since = hub.database.now(read)
        page = self.people["alice"].call("chat.history", chat=self.chat, limit=200)["messages"]
        seen = [m for m in page if hub.vault.cursors.decode(m["id"]) > after]
        least = len([m for m in seen if hub.vault.cursors.decode(m["id"]) > since])
        return self.plain(seen), least
