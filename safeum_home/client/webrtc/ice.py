"""What aioice has no setting for: how long a relay is waited for, and that direct ways come first."""

import asyncio
from functools import partial
from typing import Any

from aiortc import RTCIceGatherer

HEAD_START = 0.4
"""Seconds in which a direct way is found, where there is one: only then those through relays are tried."""


def tune(gatherer: RTCIceGatherer, gather_seconds: float, *, relay_only: bool) -> None:
    """Have it wait so long for a relay (else 5 s), and take a direct way before one through a relay."""
    connection: Any = gatherer._connection
    connection.get_component_candidates = partial(connection.get_component_candidates, timeout=gather_seconds)
    if not relay_only:
        connection.check_start = _DirectFirst(connection.check_start)


class _DirectFirst:
    """In place of `Connection.check_start`: the controlling side nominates what answers its check first."""

    def __init__(self, start: Any) -> None:
        self._start = start
        self._began: float | None = None

    async def __call__(self, pair: Any) -> None:
        now = asyncio.get_running_loop().time()
        if self._began is None:
            self._began = now
        if "relay" in (pair.local_candidate.type, pair.remote_candidate.type):
            await asyncio.sleep(max(0.0, self._began + HEAD_START - now))
        await self._start(pair)
