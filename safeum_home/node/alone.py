"""A node that has to do with no other."""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from msgspec import Struct
from sqlalchemy import Connection
from twisted.internet.defer import Deferred, fail

from safeum_home.errors import Code, Problem
from safeum_home.ports.federation import Noted
from safeum_home.ports.files import Intake
from safeum_home.protocol.federation.events import Event
from safeum_home.protocol.federation.files import FetchFile

R = TypeVar("R", bound=Struct)


class Alone:
    """`ports.Peers` where federation is off."""

    def reaches(self, node: str) -> bool:
        return False

    def note(self, c: Connection, rows: Sequence[Noted]) -> None:
        """There is nobody to be told."""

    def to_be_told(
        self, c: Connection, node: str, objects: Sequence[tuple[str, bytes]]
    ) -> Sequence[tuple[str, bytes]]:
        return ()

    def withdraw(self, c: Connection, node: str, types: Sequence[str], first: bytes, end: bytes) -> None:
        """There is nobody to be told."""

    def room(self, c: Connection, node: str) -> int:
        return 0

    def wake(self, nodes: Iterable[str]) -> None:
        """There is nobody to be told."""

    def tell_now(self, node: str, type: str, subject: Hashable) -> bool:
        return False

    def ask(self, node: str, question: Struct, result: type[R]) -> "Deferred[R]":
        return fail(Problem(Code.NODE_UNREACHABLE))

    def fetch(self, node: str, file: FetchFile) -> "Deferred[Intake]":
        return fail(Problem(Code.NODE_UNREACHABLE))

    def verified(self, origin: str, event: Mapping[str, Any]) -> "Deferred[Event]":
        return fail(Problem(Code.FEDERATION_REFUSED))


ALONE = Alone()
