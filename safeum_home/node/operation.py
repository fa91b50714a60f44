"""What an operator may ask of a node, over its socket."""

from pathlib import Path

import msgspec
from twisted.internet.threads import deferToThread
from twisted.logger import Logger

from safeum_home.admin.commands import Handler, standard_handlers
from safeum_home.admin.wire import BackupParams, Copied, Done, Params, SetSecretParams, Status
from safeum_home.errors import Code, Problem
from safeum_home.node.calls_operation import calls_handlers
from safeum_home.node.carrier_operation import carrier_handlers
from safeum_home.node.control_operation import control_handlers
from safeum_home.node.federation_operation import federation_handlers
from safeum_home.node.money_operation import money_handlers
from safeum_home.node.numbers_operation import numbers_handlers
from safeum_home.node.payments_operation import payments_handlers
from safeum_home.node.push_operation import push_handlers
from safeum_home.node.report import report_of
from safeum_home.node.service import Node
from safeum_home.node.support_operation import support_handlers
from safeum_home.node.turn_operation import turn_handlers
from safeum_home.protocol.signing import fingerprint
from safeum_home.sealing.machine import Progress
from safeum_home.storage.accounts import count
from safeum_home.storage.copies import Copier

_log = Logger()


class LoggedSeal:
    """The seal of a node; that somebody was refused is logged, and nothing of what was tried."""

    def __init__(self, node: Node) -> None:
        self._node = node

    def offer(self, text: str) -> Progress:
        """Raises as `Seal.offer` does, and `not_initialised` where there is nothing to unseal."""
        try:
            if not self._node.initialised:
                raise Problem(Code.NOT_INITIALISED)
            return self._node.seal.offer(text)
        except Problem as problem:
            _log.warn("An attempt to unseal was refused: {code}", code=problem.code.code)
            raise

    def forget(self) -> Progress:
        return self._node.seal.forget()


class Backups:
    """Copies of the embedded database, one at a time."""

    def __init__(self, node: Node, database: Path | None) -> None:
        """`database` is its file, None where a server has it."""
        self._node = node
        self._copier = None if database is None else Copier(database)
        self._busy = False

    async def make(self, target: Path) -> Copied:
        """Raises `invalid_params`, `busy`, `sealed`, `storage_unavailable`."""
        if self._copier is None:
            raise Problem(Code.INVALID_PARAMS, "this database is a server's: pg_dump copies it")
        if not target.is_absolute():
            raise Problem(Code.INVALID_PARAMS, "the path of a backup begins with /")
        if self._node.database is None:
            raise Problem(Code.SEALED, "the database is not open yet")
        if self._busy:
            raise Problem(Code.BUSY, "a backup is being made")
        self._busy = True
        try:
            size = await deferToThread(self._copier.copy, target)
        except OSError as error:
            raise Problem(Code.INVALID_PARAMS, f"{error.filename or target}: {error.strerror}") from None
        finally:
            self._busy = False
        _log.info("The database was copied.")
        return Copied(size)

    def stop(self) -> None:
        """End what is under way."""
        if self._copier is not None:
            self._copier.stop()


def handlers(node: Node, backups: Backups) -> dict[str, Handler]:
    """The commands of an operator of `node`."""

    async def status(params: Params) -> Status:
        report = report_of(node)
        if node.seal.progress.state == "open":
            key = fingerprint(node.seal.vault.signer.public_key)
            report = msgspec.structs.replace(report, node_key=key)
        if node.database is None or node.database.outage is not None:
            return report
        try:
            accounts = await node.database.read(count)
        except Problem:
            return report
        return msgspec.structs.replace(report, accounts=accounts)

    async def set_secret(params: SetSecretParams) -> Done:
        await node.set_secret(params.name, params.value)
        return Done()

    async def backup(params: BackupParams) -> Copied:
        return await backups.make(Path(params.path))

    return {
        **standard_handlers(
            lambda: report_of(node), LoggedSeal(node), lambda: node.seal.vault.secrets, deferToThread
        ),
        "status": Handler(Params, status),
        "secret.set": Handler(SetSecretParams, set_secret),
        **control_handlers(node),
        **support_handlers(lambda: node.domain),
        **federation_handlers(node),
        **push_handlers(node),
        **calls_handlers(node),
        **turn_handlers(node),
        **carrier_handlers(node),
        **money_handlers(node),
        **payments_handlers(node),
        **numbers_handlers(node),
        "backup": Handler(BackupParams, backup),
    }
