"""Lives of a group at three nodes in which files are sent: in the end who sees a message has its file, where
the node of its author has gone on holding the group since; and nobody else's is kept.

GROUPS_SEED and GROUPS_LIVES choose other lives than those of each run.
"""

import random
from typing import Any, ClassVar

from safeum_home.ids import ChatId
from tests import test_groups_across_convergence as convergence
from tests.file_case import Web
from tests.files_across_case import SECTION, FileHands
from tests.world import Client, Refused


class FileLifeTests(FileHands, convergence.LifeTests):
    limits: ClassVar[dict[str, Any]] = {"files": SECTION}

    def setUp(self) -> None:
        super().setUp()
        self.lives: dict[str, tuple[str, str | None]] = {}
        """By the names of files: who sent each, and which life the copy of that one's node was in."""

    def test_lives(self) -> None:
        """Each life of its own seed."""
        self.had = 0
        super().test_lives()
        self.assertGreater(self.had, 0)

    def live(self, chance: random.Random) -> None:
        super().live(chance)
        for who, client in self.people.items():
            if who not in self.closed and self.state(client) == "member":
                self.look(who, client)
        for world in self.nodes.worlds.values():
            self.assertEqual(len(world.domain.files.copies), 0)
            self.assertEqual(world.domain.files.means.slots.total, 0)

    def write(self, chance: random.Random) -> None:
        who = self.who(chance)
        client = self.people[who]
        if chance.random() < 0.2 or who in self.closed:
            super().write(chance)
            return
        self.said += 1
        name = f"{self.said} by {who}"
        octets = name.encode()
        try:
            file = self.upload(client, self.chat, octets)
        except Refused:
            return  # is no member
        self.log.append(f"{who}: sends file {self.said}")
        self.lives[name] = who, self.life(client)
        body = self.body(file, octets, name=name)
        client.ask("chat.send", **(client.message(self.chat, "") | {"body": body}))
        if chance.random() < 0.3:
            self.glance(chance)

    def glance(self, chance: random.Random) -> None:
        """Somebody fetches what is there."""
        who = self.who(chance)
        if who in self.closed:
            return
        try:
            page = self.people[who].call("chat.history", chat=self.chat, limit=200)["messages"]
            files = [each["id"] for each in page if each["body"]["kind"] == "file"]
            if files:
                self.log.append(f"{who}: fetches one")
                self.fetch(self.people[who], chance.choice(files))
        except Refused:
            pass

    def life(self, client: Client) -> str | None:
        """The present one of the copy of a client's node; None: there is none. The hub has one alone."""
        world = client.world
        blind, opener = world.vault.blinder.chat(ChatId(self.chat)), world.domain.files.means.opener
        contents = world.database.now(lambda c: opener.group(c, blind))
        if contents is None or contents.record.group is None:
            return None
        return contents.record.group.life or ""

    def look(self, who: str, client: Client) -> None:
        page = client.call("chat.history", chat=self.chat, limit=200)["messages"]
        for body, message in ((each["body"], each["id"]) for each in page if each["body"]["kind"] == "file"):
            name = body["name"]
            author, life = self.lives[name]
            try:
                ticket = client.call("file.download", chat=self.chat, message=message)
            except Refused as refused:
                code, octets = refused.code, b""
            else:
                answer = Web(client.world).ask("GET", ticket["path"])
                code, octets = answer.code if answer.status != 200 else "", answer.body
            if not code:
                self.assertEqual(octets, name.encode())
                self.had += 1
            else:
                self.assertEqual(code, "not_found")
                self.assertNotEqual(self.life(self.people[author]), life, f"{who} has no file {name}")

    @staticmethod
    def plain(messages: list[dict[str, Any]]) -> list[Any]:
        """Files have other ids at other nodes."""
        shown = convergence.LifeTests.plain(messages)
        return [(sender, at, {**body, "file": ""} if "file" in body else body) for sender, at, body in shown]
