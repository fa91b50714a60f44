"""Lives of a group at three nodes: whatever is done, told late, or asked while another node is away, in
the end each node has it as the hub does.

GROUPS_SEED and GROUPS_LIVES choose other lives than those of each run.
"""

import os
import random
from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection

from safeum_home.ids import AccountId, ChatId
from safeum_home.storage import chats
from tests.groups_across_case import A, B, C, GroupsAcrossCase
from tests.world import Client

STEPS = 40
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
        self.link = self.alice.call("group.link.reset", chat=self.chat)["link"]
        self.said = 0
        self.log: list[str] = []

    def tearDown(self) -> None:
        codes = {p.code.code for peer in self.nodes.peers.values() for _, p in peer.refused}
        self.assertLessEqual(codes, PASSING)

    def test_lives(self) -> None:
        """Each life of its own seed."""
        first, lives = int(os.environ.get("GROUPS_SEED", "1")), int(os.environ.get("GROUPS_LIVES", "6"))
        for seed in range(first, first + lives):
            if seed != first:
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
        self.log.append(f"{who}: {method} {params.get('account', params.get('accounts', ''))}")
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
        client.ask("chat.send", **client.message(self.chat, words))

    def accept(self, chance: random.Random) -> None:
        self.ask(self.who(chance), "group.accept", chat=self.chat)

    def decline(self, chance: random.Random) -> None:
        self.ask(self.who(chance), "group.decline", chat=self.chat)

    def join(self, chance: random.Random) -> None:
        self.ask(self.who(chance), "group.join", link=self.link)

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
            if client.account.endswith(name):
                again = Client(self.nodes[name])
                again.account, again.token, again.address = client.account, client.token, client.address
                self.people[who] = again.opened(again.call("session.resume", token=client.token, since=None))

    # --- what comes of it

    def compare(self) -> None:
        truth = self.roster(self.people["alice"], self.chat)
        name = self.info(self.people["alice"], self.chat)["group"]["name"]
        for who, client in self.people.items():
            state = truth.get(client.address, ("", "none"))[1]
            self.assertEqual(self.state(client), state, who)
            if state == "member":
                self.assertEqual(self.roster(client, self.chat), truth, who)
                self.assertEqual(self.info(client, self.chat)["group"]["name"], name, who)
                self.assertEqual(self.info(client, self.chat)["group"]["members"], len(self.members(truth)))
                self.assertEqual(self.shown(client, self.chat), self.visible(client), who)

    def members(self, roster: dict[str, tuple[str, str]]) -> list[str]:
        return [address for address, (_, state) in roster.items() if state == "member"]

    def state(self, client: Client) -> str:
        try:
            self.info(client, self.chat)
        except LookupError:
            invited = client.call("group.invitations")["invitations"]
            return "invited" if any(each["chat"] == self.chat for each in invited) else "none"
        return "member"

    def visible(self, client: Client) -> list[Any]:
        """What the hub has for a member."""
        hub = self.nodes[A]
        blinder = hub.vault.blinder
        chat, account = blinder.chat(ChatId(self.chat)), blinder.account(AccountId(client.account))

        def read(c: Connection) -> int:
            member = chats.member(c, chat, account)
            assert member is not None
            return member.visible

        after = hub.database.now(read)
        page = self.people["alice"].call("chat.history", chat=self.chat, limit=200)["messages"]
        seen = [m for m in page if hub.vault.cursors.decode(m["id"]) > after]
        return [(None if m["body"]["kind"] == "notice" else m["sender"], m["at"], m["body"]) for m in seen]
