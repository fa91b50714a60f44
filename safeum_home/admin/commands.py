"""The commands that every node has for its operator."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol

from msgspec import Struct
from twisted.internet.defer import Deferred

from safeum_home.admin.wire import (
    Done,
    Names,
    Params,
    Progress,
    SecretParams,
    SetSecretParams,
    Status,
    UnsealParams,
)


@dataclass(frozen=True, slots=True)
class Handler:
    """A command: what it takes, and what it does. It answers at once or later, or raises a `Problem`."""

    params: type[Struct]
    call: Callable[[Any], Struct | Awaitable[Struct]]


class HasProgress(Protocol):
    @property
    def state(self) -> str: ...
    @property
    def have(self) -> int: ...
    @property
    def needed(self) -> int: ...


class Seal(Protocol):
    """What is unsealed."""

    def offer(self, text: str, /) -> HasProgress: ...
    def forget(self) -> HasProgress: ...


class Secrets(Protocol):
    """The sealed secrets. `set` and `delete` block."""

    def names(self) -> list[str]: ...
    def set(self, name: str, value: bytes, /) -> None: ...
    def delete(self, name: str, /) -> None: ...


InThread = Callable[..., Deferred[Any]]
"""`in_thread(fn, *args)` runs `fn` off the reactor's thread."""


def standard_handlers(
    status: Callable[[], Status], seal: Seal, secrets: Callable[[], Secrets], in_thread: InThread
) -> dict[str, Handler]:
    """`status`, `unseal`, `unseal.forget` and `secret.*`. `secrets` raises `sealed` while there are none."""

    def progress(reached: HasProgress) -> Progress:
        return Progress(reached.state, reached.have, reached.needed)

    def set_secret(params: SetSecretParams) -> Deferred[Struct]:
        return in_thread(secrets().set, params.name, params.value).addCallback(_done)

    def delete_secret(params: SecretParams) -> Deferred[Struct]:
        return in_thread(secrets().delete, params.name).addCallback(_done)

    return {
        "status": Handler(Params, lambda _: status()),
        "unseal": Handler(UnsealParams, lambda params: progress(seal.offer(params.words))),
        "unseal.forget": Handler(Params, lambda _: progress(seal.forget())),
        "secret.list": Handler(Params, lambda _: Names(secrets().names())),
        "secret.set": Handler(SetSecretParams, set_secret),
        "secret.delete": Handler(SecretParams, delete_secret),
    }


def _done(_result: object) -> Done:
    return Done()
