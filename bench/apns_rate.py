"""How many wakes go through one connection to APNs: through all that is in front of a provider, over TLS.

`python -m bench.apns_rate [COUNT] [--trouble]`; Apple is the double of the tests, in a process of its own.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.task import react

from bridges.push.apns import apns
from bridges.push.sender import Sender
from safeum_home.config_push import PushProviderSection, PushSection
from safeum_home.ports.push import PushAddress, PushContext, Wake, Woken
from tests.apns import BUNDLE, KEY_ID, TEAM_ID, ApnsDouble, signing_key
from tests.certificates import Authority

NAME = "apple"


def rate(count: int = 10_000, trouble: bool = False) -> dict[str, Any]:
    """Measured in a process of its own: see `measured`."""
    command = [sys.executable, "-m", "bench.apns_rate", str(count), *(["--trouble"] if trouble else [])]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


async def measured(reactor: Any, count: int, trouble: bool) -> dict[str, Any]:
    """Wakes per second, and per second of this process's CPU time; how many were lost, or taken twice.

    In `trouble` APNs leaves twice, with streams that it has not processed, and breaks off once.
    """
    with tempfile.TemporaryDirectory() as name:
        folder, authority, double = Path(name), Authority(), ApnsDouble()
        (folder / "ca.pem").write_bytes(authority.pem)
        private, public = signing_key()
        await double.run(folder, authority, public)
        known = {"key": "secret:apns", "key_id": KEY_ID, "team_id": TEAM_ID, "topic": BUNDLE}
        where = {"url": f"https://localhost:{double.port}", "ca": str(folder / "ca.pem")}
        context = PushContext(NAME, "node.example", reactor, lambda _: private, lambda: b"\0" * 32)
        section = PushSection(providers=[PushProviderSection(NAME, "apns")], breaker_seconds=0.2)
        sender = Sender(reactor, section, [apns(context, {**known, **where})])
        await sender.wake(NAME, PushAddress("f" * 64), Wake.MESSAGE)
        if trouble:
            goes = {"how": "goaway", "back": 100}
            await double.tell(
                leave=[
                    {"after": count // 4, **goes},
                    {"after": count // 2, **goes},
                    {"after": count * 3 // 4, "how": "reset"},
                ]
            )
        began, cpu = perf_counter(), process_time()
        wakes: list[Deferred[Woken]] = [
            sender.wake(NAME, PushAddress(f"{number:064x}"), Wake.MESSAGE) for number in range(count)
        ]
        woken = await gatherResults(wakes)
        seconds, cpu = perf_counter() - began, process_time() - cpu
        state = await double.tell()
        await sender.stop()
        await double.stop()
    return {
        "wakes": count,
        "per_s": round(count / seconds),
        "per_core_s": round(count / cpu),
        "lost": count - woken.count(Woken.TAKEN),
        "missing": count + 1 - state["taken"],
        "twice": state["twice"],
        "connections": state["connections"],
    }


def _main(reactor: Any, *arguments: str) -> "Deferred[None]":
    counts = [int(each) for each in arguments if each.isdigit()]
    run = measured(reactor, counts[0] if counts else 10_000, "--trouble" in arguments)
    return Deferred.fromCoroutine(run).addCallback(lambda found: print(json.dumps(found)))


if __name__ == "__main__":
    react(_main, sys.argv[1:])
