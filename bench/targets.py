"""What is measured: the relay (stock, or on the direct path) and the node, each a process on one core."""

import json
import os
import resource
import ssl
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from bench.failure import Failure

PATIENCE = 20.0
_CORES = sorted(os.sched_getaffinity(0))
TARGET_CORE, GENERATOR_CORE = _CORES[0], _CORES[-1]
PEER_CORE = _CORES[1 % len(_CORES)]
"""Where there are two nodes, the second one's."""
_generator = {GENERATOR_CORE}


@dataclass(frozen=True, slots=True)
class Target:
    """A server that listens on a port of the loopback interface."""

    name: str
    pid: int
    port: int
    tls: ssl.SSLContext


def trusting(certificate: str) -> ssl.SSLContext:
    """A client's context that trusts this certificate (PEM) alone."""
    context = ssl.create_default_context(cadata=certificate)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    return context


def raise_file_limit() -> None:
    """Allow as many connections as the system lets us; child processes inherit it."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


@contextmanager
def beside_two() -> Iterator[None]:
    """The generator keeps off the cores of two nodes; where there are no others it runs on both alike."""
    global _generator
    before, _generator = _generator, set(_CORES) - {TARGET_CORE, PEER_CORE} or set(_CORES)
    os.sched_setaffinity(0, _generator)
    try:
        yield
    finally:
        _generator = before
        os.sched_setaffinity(0, _generator)


@contextmanager
def process(
    arguments: Sequence[str], core: int = TARGET_CORE, **options: Any
) -> Iterator[subprocess.Popen[bytes]]:
    """A child process on one core, ended with the block."""
    os.sched_setaffinity(0, {core})
    try:
        child = subprocess.Popen(arguments, **options)
    finally:
        os.sched_setaffinity(0, _generator)
    try:
        yield child
    finally:
        child.terminate()
        try:
            child.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
        if child.stdout is not None:
            child.stdout.close()


@contextmanager
def relay(*, fast: bool = False) -> Iterator[Target]:
    """The bare relay, or with `fast` the same with whole data frames on the gateway's direct path."""
    arguments = [sys.executable, "-m", "bench.relay", *(["--fast"] if fast else [])]
    with process(arguments, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        said = child.stdout.readline()
        if not said:
            raise Failure("the relay did not start")
        where = json.loads(said)
        yield Target("fast" if fast else "relay", child.pid, where["port"], trusting(where["certificate"]))
