"""The way to a provider that is asked over HTTP/2: which URL, and the client."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from twisted.internet.defer import Deferred

from bridges.settings import checked_url, reading_roots
from safeum_home.config import ConfigError
from safeum_home.outgoing.http import Answer
from safeum_home.outgoing.http2.asking import Fields
from safeum_home.outgoing.http2.client import Http2
from safeum_home.outgoing.http2.endpoint import endpoint_of, is_origin
from safeum_home.outgoing.http2.limits import Http2Limits

WAITING = 4096
"""Wakes that may wait for a stream: what is in front hands over no more than so many at once."""


class Way(Protocol):
    """The client."""

    def request(
        self, method: bytes, path: bytes, fields: Fields, own: Fields = (), body: bytes = b""
    ) -> "Deferred[Answer]": ...

    def close(self) -> "Deferred[None]": ...


def checked_origin(whose: str, url: str) -> str:
    """The setting `url`: https: and without a path; raises `ConfigError`, which says `whose` it is."""
    checked = checked_url(whose, "url", url)
    if not is_origin(checked):
        raise ConfigError(f"{whose}: url: an https: URL without a path is wanted")
    return checked


def way(
    whose: str,
    reactor: Any,
    origin: str,
    ca: str | None,
    seconds: float,
    longest_answer: int,
    proves: Callable[[Answer], bool] | None = None,
) -> Http2:
    """The client, to a `checked_origin`; raises `ConfigError`. Blocks while it reads `ca`.

    `proves` is as `Http2` has it.
    """
    with reading_roots(whose):
        authority, endpoint = endpoint_of(reactor, origin, None if ca is None else Path(ca), seconds)
    limits = Http2Limits(seconds=seconds, answer=longest_answer, waiting=WAITING)
    return Http2(reactor, authority, endpoint, limits, proves)
