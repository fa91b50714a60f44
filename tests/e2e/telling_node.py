"""twistd with a node that tells others what a file says, and writes down what it is told.

It takes twistd's arguments. In the folder `TELL` a file `say` has lines of `NODE TEXT`; it is deleted when
they are committed. What came is in the table `arrived`, each time it came.
"""

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, text
from twisted.internet.task import LoopingCall
from twisted.scripts.twistd import run

from safeum_home.ids import AccountId
from safeum_home.node import service
from safeum_home.node.domain import Domain, make_domain
from safeum_home.ports.federation import Applied, Noted
from safeum_home.protocol.federation.events import Event, new_event
from safeum_home.spawn import spawn


class Telling:
    """Objects that are texts: their pointers are all that there is to them."""

    type = "test.telling"
    together = True

    def __init__(self, node: str) -> None:
        self._sender = AccountId("@" + "a" * 26 + ":" + node)

    def build(self, c: Connection, pointer: bytes) -> Event:
        return new_event(self.type, self._sender, 1, {"text": pointer.decode()})

    async def apply(self, node: str, event: Event) -> Applied:
        row = {"node": node, "text": event.content["text"]}

        def store(c: Connection) -> None:
            c.execute(text("INSERT INTO arrived (node, text) VALUES (:node, :text)"), row)

        return Applied(store, lambda: None, lambda: None)


def _telling(config: Any, clock: Any, database: Any, *others: Any, peers: Any, **more: Any) -> Domain:
    domain = make_domain(config, clock, database, *others, peers=peers, **more)
    table = "CREATE TABLE IF NOT EXISTS arrived (number INTEGER PRIMARY KEY, node TEXT, text TEXT)"
    spawn(_run(database, table), "making a table")

    async def look() -> None:
        said = _said()
        if not said.exists():
            return
        rows = [line.split() for line in said.read_text().splitlines()]
        noted = [Noted(node, Telling.type, what.encode()) for node, what in rows]
        await database.transact(lambda c: peers.note(c, noted))
        said.unlink()
        peers.wake({node for node, _ in rows})

    looking = LoopingCall(look)
    looking.clock = clock
    looking.start(0.05)
    return replace(domain, shared=(*domain.shared, Telling(config.node.name)))


def _said() -> Path:
    return Path(os.environ["TELL"], "say")


async def _run(database: Any, statement: str) -> None:
    await database.transact(lambda c: c.exec_driver_sql(statement))


def main() -> None:
    vars(service)["make_domain"] = _telling
    run()
