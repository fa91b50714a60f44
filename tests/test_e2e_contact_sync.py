"""Contact sync against a node in a process of its own: real threads, TLS, and clients on asyncio."""

import asyncio
import json
import os
import ssl
from collections.abc import Coroutine
from typing import Any

from safeum_home.client import RemoteProblem
from safeum_home.errors import Code
from safeum_home.protocol import commands as c
from safeum_home.protocol import ristretto
from tests.client_node_case import PASSWORD, SECONDS, NodeCase
from tests.e2e.wire import Ended, RawClient, Wire, frame
from tests.sync_support import BOB, CAROL, NOBODY, need_group
from tests.world import LAPTOP


class NodeTests(NodeCase):
    """A node with Bob, who can be found, and Carol, who cannot."""

    program = "number-node"

    def setUp(self) -> None:
        need_group()
        super().setUp()
        self.bob = ""
        self.run_async(self.sign_up())

    def run_async(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run(asyncio.wait_for(work, 4 * SECONDS))

    async def sign_up(self) -> None:
        for login, findable in ((BOB, True), (CAROL, False), ("ada", False)):
            async with await self.connect() as client:
                consent = (await client.policy()).version
                opened = await client.register(login, PASSWORD, consent=consent)
                self.bob = self.bob or opened.account
                await client.set_findable(findable)

    def test_finding(self) -> None:
        """With the SDK: who allows it, from the moment on when they do."""

        async def find() -> None:
            async with await self.connect() as ada, await self.connect() as carol:
                await ada.login("ada", PASSWORD)
                await carol.login(CAROL, PASSWORD)
                numbers = [BOB, CAROL, NOBODY, *(f"+4916{number:08}" for number in range(1_200))]
                found = await ada.find_contacts(numbers)
                self.assertEqual(found, {BOB: c.ContactFound(self.bob, f"{BOB}@localhost")})
                self.assertFalse((await carol.is_findable()).findable)
                await carol.set_findable(True)
                self.assertEqual(set(await ada.find_contacts(numbers)), {BOB, CAROL})
                await carol.set_findable(False)
                self.assertEqual(set(await ada.find_contacts(numbers)), {BOB})

        self.run_async(find())

    def test_others_are_served_while_many_points_are_evaluated(self) -> None:
        """Batches of several sessions at once: people log in meanwhile, and all are answered."""

        async def crowd() -> None:
            sessions = [await self.connect() for _ in range(4)]
            for session in sessions:
                await session.login("ada", PASSWORD)
            period = (await sessions[0].call(c.ContactsDirectory())).period
            batches = [
                session.call(
                    c.ContactsSync(period, [ristretto.from_hash(os.urandom(64)) for _ in range(1_000)])
                )
                for session in sessions
                for _ in range(2)
            ]
            waiting = asyncio.gather(*batches, return_exceptions=True)
            async with await self.connect() as late:
                await late.login("ada", PASSWORD)
                await late.history((await late.chats()).chats[0].chat)
            answers = await waiting
            refused = [answer for answer in answers if isinstance(answer, RemoteProblem)]
            self.assertEqual([answer.code for answer in refused], [Code.RATE_LIMITED.code] * 3)
            evaluated = [len(answer.points) for answer in answers if isinstance(answer, c.Evaluated)]
            self.assertEqual(evaluated, [1_000] * 5)
            for session in sessions:
                await session.close()

        self.run_async(crowd())

    def test_a_flood_of_a_million_entries(self) -> None:
        """Is larger than a frame: the connection is closed with 1009, and the node goes on."""
        tls = ssl.create_default_context(cafile=str(self.ca))
        tls.set_alpn_protocols(["http/1.1"])
        port = int(self.address.partition(":")[2])
        point = b'"' + b"A" * 43 + b'=",'
        with RawClient(Wire(port, tls)) as client:
            client.call("session.login", username="ada", password=PASSWORD, device=LAPTOP)
            beginning = b'{"jsonrpc":"2.0","id":1,"method":"contacts.sync","params":{"period":1,"points":['
            client.wire.send(frame(beginning + point * 1_000, length=47_000_000))
            self.assertEqual(self.close_code(client), 1009)

        async def find() -> None:
            async with await self.connect() as client:
                await client.login("ada", PASSWORD)
                self.assertEqual(set(await client.find_contacts([BOB])), {BOB})

        self.run_async(find())

    def close_code(self, client: RawClient) -> int | None:
        """With what the node ends this connection."""
        try:
            for _ in range(100):
                client.read()
        except Ended as ended:
            return ended.code
        return None

    def test_the_pipe(self) -> None:
        """`client.find_contacts`, in which the client does what the node must not see."""
        requests = [
            {"method": "client.find_contacts", "params": {"numbers": [BOB, CAROL]}, "id": 1},
            {"method": "client.find_contacts", "params": {"numbers": ["0171"]}, "id": 2},
        ]
        done = self.safeum("pipe", "ada", "\n".join([PASSWORD, *map(json.dumps, requests)]))
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        answers = {line["id"]: line for line in map(json.loads, done.stdout.splitlines()) if "id" in line}
        self.assertEqual(
            answers[1]["result"], {"found": {BOB: {"account": self.bob, "address": f"{BOB}@localhost"}}}
        )
        self.assertEqual(answers[2]["error"]["data"]["code"], "invalid_params")
