"""What a conversation asks of the account whose it is."""

from collections.abc import Awaitable, Coroutine, Iterable
from typing import Any, Protocol, TypeVar

from msgspec import Struct
from twisted.internet.interfaces import IReactorTime

from safeum_home.client.files.file_transfer import FileTransfer
from safeum_home.client.secure.people import People
from safeum_home.client.secure.unique_key import UniqueKey

T = TypeVar("T")


class Home(Protocol):
    """`SecureChats` is one."""

    own: UniqueKey
    former: list[UniqueKey]
    """Keys of before, as far as they are at hand."""
    people: People
    client: FileTransfer
    clock: IReactorTime

    @property
    def may_say(self) -> bool:
        """Whether the keys of this program are those of the account."""

    def loaded(self, chat: str) -> None:
        """A chat is loaded: it may not have been told yet that the keys of this account are others."""

    def followed(self, hash: bytes) -> None:
        """The keys of this program have named these, as a chat has told."""

    def tell(self, event: Struct) -> None:
        """To whoever listens to the client."""

    def awaitable(self, coroutine: Coroutine[Any, Any, T]) -> Awaitable[T]:
        """What a program waits for: of Twisted's kind, or asyncio's."""

    def need(self, accounts: Iterable[str]) -> None:
        """Ask the directory for the keys of these, and again until they are there."""

    def vault_version(self) -> int:
        """Of the vault that this program has had last."""

    def vault_newer(self, version: int) -> None:
        """Another program of this account has had that one."""

    def changed(self, urgent: bool = False) -> None:
        """Something is different that the vault keeps; what is `urgent` must not be lost."""
