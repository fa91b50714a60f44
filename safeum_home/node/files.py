"""Files of chats, put together: the store of the configuration, and the parts of the domain over it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThreadPool
from twisted.python.threadpool import ThreadPool

from safeum_home.chats.files.commands import FileCommands
from safeum_home.chats.files.copies import Copies
from safeum_home.chats.files.downloads import Downloads, Readings
from safeum_home.chats.files.janitor import FileJanitor
from safeum_home.chats.files.lending import Lending
from safeum_home.chats.files.means import FileMeans, FileStorage
from safeum_home.chats.files.outage import StoreOutage
from safeum_home.chats.files.sending import Attachments
from safeum_home.chats.files.slots import Slots
from safeum_home.chats.files.tickets import Tickets
from safeum_home.chats.files.uploads import Uploads
from safeum_home.config import Config
from safeum_home.gateway.dispatch import Routes
from safeum_home.limits import RateLimit
from safeum_home.node.means import DomainMeans
from safeum_home.node.startup import StartError
from safeum_home.ports.federation import OpenFile
from safeum_home.ports.files import BlobStore
from safeum_home.protocol import commands
from safeum_home.storage.folder import FolderStore


class Transfers(Uploads):
    """`ports.files.FileTransfers`: what the edge is handed."""

    def __init__(self, means: FileMeans, readings: Readings) -> None:
        super().__init__(means)
        self.open = Downloads(means, readings).open


class NodeFiles:
    """Threads of their own for sealing and the store: logins and lookups never wait for them."""

    def __init__(self, reactor: Any, config: Config) -> None:
        """`reactor` provides IReactorFromThreads."""
        self._reactor = reactor
        self._config = config
        self._pool = ThreadPool(1, config.files.threads, "files")

    def start(self, secret: Callable[[str], bytes]) -> "Deferred[FileStorage]":
        """`secret` opens a sealed secret by its name. Fails with `StartError`."""
        self._pool.start()
        return self.run(lambda: FileStorage(make_store(self._config, secret), self.run))

    def stop(self) -> None:
        """Wait for what is under way, which blocks."""
        if self._pool.started:
            self._pool.stop()

    def run(self, work: Callable[[], object]) -> "Deferred[Any]":
        return deferToThreadPool(self._reactor, self._pool, work)


@dataclass(frozen=True, slots=True)
class Files:
    """What the node has for files."""

    means: FileMeans
    copies: Copies
    lend: OpenFile
    transfers: Transfers
    janitor: FileJanitor
    attachments: Attachments
    routes: Routes
    rates: dict[str, RateLimit]


def make_files(base: DomainMeans, storage: FileStorage) -> Files:
    """They lie in `storage`; the keyring of fleeting keys is turned where one was erased."""
    section, limits, vault = base.config.files, base.config.limits, base.vault
    clock, database, opener = base.clock, base.database, base.opener
    rate = RateLimit(limits.file_requests_per_account, limits.file_requests_per_account_burst, clock.seconds)
    means = FileMeans(
        database,
        vault.fleeting,
        vault.blinder,
        vault.cursors,
        base.registry,
        opener,
        *storage,
        Tickets(clock.seconds),
        Slots(section.transfers, storage.store.batch),
        rate,
        section,
        clock.seconds,
        StoreOutage(),
        base.busy,
    )
    asked = FileCommands(means)
    routes: Routes = {
        commands.FileUpload: asked.upload,
        commands.FileDownload: asked.download,
        commands.FileQuota: asked.quota,
    }
    janitor = FileJanitor(clock, means, base.fleeting_turns.if_due)
    attachments = Attachments(database, vault.fleeting, vault.blinder, opener, section, base.milliseconds)
    copies = Copies(means, base.peers)
    readings = Readings(means, copies)
    lend, transfers = Lending(base.node, means, readings).open, Transfers(means, readings)
    return Files(
        means, copies, lend, transfers, janitor, attachments, routes, {"file_requests_per_account": rate}
    )


def make_store(config: Config, secret: Callable[[str], bytes]) -> BlobStore:
    """What `[files]` describes; `secret` opens a sealed secret by its name. Blocks.

    Raises `StartError` where it cannot be had.
    """
    section = config.files
    if section.store == "folder":
        folder = Path(section.folder) if section.folder else config.state_dir / "files"
        try:
            return FolderStore(folder.absolute())
        except OSError as error:
            raise StartError(f"files.folder, {folder}: {error.strerror}") from None
    try:
        from bridges.files.s3 import S3Store
    except ImportError:
        raise StartError("files.store: S3 needs botocore: pip install 'safeum-home[s3]'") from None
    return S3Store(section, secret)
