"""Opening a node's database: waiting for it, and seeing that it is this node's."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from twisted.internet.task import deferLater
from twisted.logger import Logger

from safeum_home.config import Config
from safeum_home.jobs import again
from safeum_home.node.startup import StartError
from safeum_home.node.turning import make_all_good
from safeum_home.ports import Database
from safeum_home.sealing.vault import Vault
from safeum_home.storage.database import NodeDatabase, open_database, opening_outage
from safeum_home.storage.migrate import SchemaTooNew, schema_of
from safeum_home.storage.node import belongs_to
from safeum_home.storage.outage import DAMAGED

_RETRY_SECONDS = 5.0
_log = Logger()


def database_url(config: Config) -> str:
    """The database of the configuration, with the path of an embedded one filled in."""
    path = embedded(config)
    return config.database.url if path is None else f"sqlite:///{path}"


def embedded(config: Config) -> Path | None:
    """The file of the embedded database; None where a server has it."""
    if config.database.url != "sqlite":
        return None
    return Path(config.state_dir).absolute() / "home.sqlite"


async def open_when_there(reactor: Any, config: Config, tell: Callable[[str], None]) -> NodeDatabase:
    """The database, as soon as it can be opened; until then `tell` is given a word of `storage.outage`.

    Raises `StartError` where waiting does not help.
    """
    url = database_url(config)
    told = None
    while True:
        try:
            # Time only goes on: so no position is used twice, even where a backup was put back.
            first = int(reactor.seconds() * 1_000_000)
            return await open_database(url, reactor=reactor, first=first)
        except (SchemaTooNew, ValueError) as error:
            raise StartError(str(error)) from None
        except Exception as error:
            outage = opening_outage(url, error)
            tell(outage)
            if outage == DAMAGED:
                raise StartError("the database is damaged: put back a backup", DAMAGED) from None
            if outage != told:
                kind = type(error).__name__
                _log.error("The database cannot be opened: {outage} ({kind}).", outage=outage, kind=kind)
                told = outage
            await deferLater(reactor, _RETRY_SECONDS)


async def make_ready(clock: Any, database: Database, config: Config, vault: Vault) -> str:
    """What is due before anything is served from a database, whenever it is away meanwhile; its schema.

    `clock` provides IReactorTime. Raises `StartError`.
    """
    when_there = partial(again, clock, "opening the database")
    await when_there(lambda: check_owner(database, config, vault))
    schema = await when_there(lambda: database.read(schema_of))
    await when_there(lambda: make_all_good(database, vault))
    return schema


async def check_owner(database: Database, config: Config, vault: Vault) -> None:
    """Nothing may be served from another node's rows: no login would be right, and every name be free.

    Raises `StartError`.
    """
    identity = int.from_bytes(vault.blinder.node(config.node.name)[:8], "big") >> 1
    if not await database.transact(lambda c: belongs_to(c, identity)):
        raise StartError("this database belongs to another root secret or another node.name")
