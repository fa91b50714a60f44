"""The terminal client on a node that is put back to an older copy of its database."""

import asyncio
import shutil
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from safeum_home.client import new_client
from safeum_home.client.desk.desk import Desk
from safeum_home.client.desk.desk_events import Listening
from safeum_home.client.events import Link, LinkChanged
from safeum_home.client.futures import future
from safeum_home.client.loop_reactor import reactor_of
from safeum_home.client.screen import page
from safeum_home.client.screen.blocks import text_of
from safeum_home.client.slash.commands import submit
from safeum_home.protocol.types import Text
from safeum_home.storage.copies import Copier
from tests.e2e.node_process import NodeProcess

SECONDS = 60
"""The most that anything here may take."""


FORGETFUL = """
from safeum_home.node import opening
from twisted.scripts.twistd import run
open_database = opening.open_database
opening.open_database = lambda url, reactor, first: open_database(url, reactor=reactor, first=0)
run()
"""
"""twistd with a node that uses positions again after its database was put back."""


def milliseconds() -> int:
    return int(time.time() * 1000)


class RestoreTests(SynchronousTestCase):
    node: NodeProcess

    def begin(self, *command: str) -> None:
        self.node = NodeProcess(command=command) if command else NodeProcess()
        self.addCleanup(self.node.close)
        self.node.start()

    def put_back(self, copy: Path) -> None:
        """The database is as it was when `copy` was made."""
        self.node.stop()
        for old in self.node.state.glob("home.sqlite*"):
            old.unlink()
        for part in copy.iterdir():
            shutil.copy(part, self.node.state)
        self.node.start()

    def copied(self) -> Path:
        self.node.stop()
        copy = self.node.folder / "copy"
        copy.mkdir()
        for part in self.node.state.glob("home.sqlite*"):
            shutil.copy(part, copy)
        self.node.start()
        return copy

    @asynccontextmanager
    async def desk(self, login: str) -> AsyncIterator[Desk]:
        """Somebody who has signed up, and sits at a desk."""
        reactor = reactor_of(asyncio.get_running_loop())
        client = new_client(reactor, f"localhost:{self.node.port}", ca=self.node.certificate)
        consent = (await future(client.policy())).version
        await future(client.register(login, "correct horse battery staple", consent=consent))
        await future(client.load())
        desk = Desk(client, reactor, milliseconds)
        client.listen(Listening(desk).heard)
        try:
            yield desk
        finally:
            desk.outbox.stop()
            await future(client.close())

    def test_the_open_chat_is_loaded_again_and_goes_on(self) -> None:
        self.begin(sys.executable, "-c", FORGETFUL)
        text = asyncio.run(asyncio.wait_for(self._restored(), SECONDS))
        self.assertIn("The node has forgotten what came last.", text)
        self.assertNotIn("lost", text)

    def test_what_comes_afterwards_is_shown_where_the_node_knows_all_cursors(self) -> None:
        self.begin()
        asyncio.run(asyncio.wait_for(self._restored(), SECONDS))

    def test_who_has_only_written_is_told_too(self) -> None:
        """No event tells a device of what it has sent, so its cursor is from before the copy."""
        self.begin()
        links, texts = asyncio.run(asyncio.wait_for(self._only_written(), SECONDS))
        self.assertEqual([link.reset for link in links if link.link is Link.ONLINE], [True])
        self.assertEqual(texts, ["before", "after"])

    async def _only_written(self) -> tuple[list[LinkChanged], list[str]]:
        """What a program of Bob's hears of the connection, and what he has noted as far as it knows."""
        reactor = reactor_of(asyncio.get_running_loop())
        client = new_client(reactor, f"localhost:{self.node.port}", ca=self.node.certificate)
        consent = (await future(client.policy())).version
        await future(client.register("bob", "correct horse battery staple", consent=consent))
        await future(client.load())
        links: list[LinkChanged] = []
        client.listen(lambda event: links.append(event) if isinstance(event, LinkChanged) else None)
        notes = client.state.self_chat
        assert notes is not None
        await future(client.send(notes, "before"))

        # While it runs: with each start the node tells a cursor that is newer than any copy.
        copy = self.node.folder / "copy"
        copy.mkdir()
        Copier(self.node.state / "home.sqlite").copy(copy / "home.sqlite")
        await future(client.send(notes, "lost"))
        self.put_back(copy)
        await until(lambda: bool(links))
        client.retry()
        await until(lambda: links[-1].link is Link.ONLINE)
        await future(client.send(notes, "after"))
        view = client.state.chat(notes)
        assert view is not None
        await future(client.close())
        return links, [each.body.text for each in view.messages if isinstance(each.body, Text)]

    async def _restored(self) -> str:
        """What Ada sees at last."""
        async with self.desk("ada") as ada, self.desk("bob") as bob:
            submit(bob, "/add ada")
            await until(lambda: bool(ada.wanted()))
            submit(ada, "/accept")
            await until(lambda: len(ada.chats()) == 2 and len(bob.chats()) == 2)
            submit(ada, "/chat bob")
            submit(bob, "/chat ada")
            await self.talk(bob, ada, "before", 30)
            copy = self.copied()
            await self.back(ada, bob)
            await self.talk(bob, ada, "lost", 3)
            self.put_back(copy)
            await self.back(ada, bob)
            await self.talk(bob, ada, "after", 3)
            text = shown(ada)
            seen = [*(f"before {number}." for number in range(30)), *(f"after {n}." for n in range(3))]
            self.assertEqual(sorted(text.index(each) for each in seen), [text.index(each) for each in seen])
            return text

    async def talk(self, sender: Desk, reader: Desk, word: str, count: int) -> None:
        """One writes, and the other sees it without doing anything."""
        for number in range(count):
            submit(sender, f"{word} {number}.")
        await until(lambda: f"{word} {count - 1}." in shown(reader))
        await until(lambda: not sender.outbox.items)

    async def back(self, *desks: Desk) -> None:
        """The node was away; the desks come back to it."""
        await until(lambda: all(desk.link.link is not Link.ONLINE for desk in desks))
        for desk in desks:
            submit(desk, "/retry")
        await until(lambda: all(desk.link.link is Link.ONLINE for desk in desks))


def shown(desk: Desk) -> str:
    """All of the open chat."""
    return text_of(page.body(desk, 80, 200)).strip()


async def until(happened: Callable[[], bool]) -> None:
    """Wait for it; the test's own time is the bound."""
    while not happened():  # noqa: ASYNC110  # what is waited for is in the state of two clients
        await asyncio.sleep(0.01)
