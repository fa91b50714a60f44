"""A node that has to do with no other."""

from collections.abc import Iterable, Sequence
from typing import TypeVar

from msgspec import Struct
from sqlalchemy import Connection
from twisted.internet.defer import Deferred, fail

from safeum_home.errors import Code, Problem
from safeum_home.ports.federation import Noted

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

    def wake(self, nodes: Iterable[str]) -> None:
        """There is nobody to be told."""

    def ask(self, node: str, question: Struct, result: type[R]) -> "Deferred[R]":
        return fail(Problem(Code.NODE_UNREACHABLE))


ALONE = Alone()
