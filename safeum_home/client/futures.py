"""Twisted's promises in asyncio."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from twisted.internet.defer import Deferred

T = TypeVar("T")


async def future(awaitable: Awaitable[T]) -> T:
    """Wait in asyncio for what Twisted promises."""
    assert isinstance(awaitable, Deferred)
    result: T = await awaitable.asFuture(asyncio.get_running_loop())
    return result
