"""What keeps a node from starting, found before it does; and leaving with an exit code that says so."""

import atexit
import os
import stat
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from twisted.internet.error import ReactorNotRunning

from bridges.payments import loading as payments
from bridges.push import loading as push
from bridges.safenum import loading as safenum
from bridges.sms import loading as sms
from safeum_home.accounts.policy import PolicyError, read
from safeum_home.admin.service import is_answered
from safeum_home.config import Config, ConfigError
from safeum_home.node import listening, providers
from safeum_home.outgoing.http import roots

KEYS_LOST = "keys_lost"
"""The node's status where its keyring opens nothing of its database."""


class StartError(Exception):
    """The node cannot start; the message is a line for its operator, `status` what the node then shows."""

    def __init__(self, message: str, status: str = "failed") -> None:
        super().__init__(message)
        self.status = status


def check(config: Config) -> None:
    """Raises `StartError`. Nothing is kept open, so it may be called before the process daemonises."""
    check_state_dir(config.state_dir)
    try:
        read(config.policy.file)
    except PolicyError as error:
        raise StartError(f"policy.file, {config.policy.file}: {error}") from None
    check_authorities(config)
    if is_answered(config.admin_socket):
        raise StartError(f"a node runs in {config.state_dir} already")
    health = [config.listen.health] if config.listen.health is not None else []
    for description in (*config.listen.clients, *health):
        try:
            listening.check(description)
        except listening.NoIPv6:
            if len(config.listen.clients) == 1:
                raise StartError("the machine has no IPv6, and listen.clients nothing else") from None
        except listening.CannotListen as error:
            raise StartError(str(error)) from None
    try:
        for text in config.sms.providers:
            providers.check("sms.providers", sms.load(text.kind), text.name, text.settings)
        for waker in config.push.providers:
            providers.check("push.providers", push.load(waker.kind), waker.name, waker.settings)
        for till in config.payments.providers:
            providers.check("payments.providers", payments.load(till.kind), till.name, till.settings)
        for carrier in config.safenum.carriers:
            bridge = safenum.load(carrier.kind)
            providers.check("safenum.carriers", bridge, carrier.name, carrier.settings)
    except ConfigError as error:
        raise StartError(str(error)) from None


def check_authorities(config: Config) -> None:
    """Raises `StartError` where `federation.ca` is not there, or holds nobody to trust."""
    if not config.federation.ca:
        return
    try:
        roots(Path(config.federation.ca))
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it holds no certificates (PEM)"
        raise StartError(f"federation.ca, {config.federation.ca}: {reason}") from None


def check_state_dir(path: Path) -> None:
    """Raises `StartError` unless it is a directory that nobody but its owner can enter."""
    try:
        mode = path.stat().st_mode
    except OSError as error:
        raise StartError(f"node.state_dir, {path}: {error.strerror}") from None
    if not stat.S_ISDIR(mode):
        raise StartError(f"node.state_dir, {path}: not a directory")
    if mode & 0o077:
        raise StartError(f"node.state_dir, {path}: others may enter it; chmod 0700 {path}")


def leave(reactor: Any) -> None:
    """Stop the reactor, and have the process end with exit code 1, which twistd has no way to ask for."""
    atexit.register(_exit)

    def stop() -> None:
        with suppress(ReactorNotRunning):
            reactor.stop()

    reactor.callWhenRunning(stop)


def _exit() -> None:
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(1)
