"""Text messages of `make run`: shown on its terminal, and sent to nobody.

It is no entry point, so that no configuration file can name it: codes that are shown are for trying out.
"""

import sys
from collections.abc import Mapping
from typing import Any, TextIO

from twisted.internet.defer import Deferred, succeed

from safeum_home.config import ConfigError, SmsProviderSection, SmsSection
from safeum_home.ports.sms import Accepted, Outcome, SmsBridge, SmsContext

KIND = "terminal"
SECTION = SmsSection(providers=[SmsProviderSection("terminal", KIND)])


class TerminalSms:
    """`ports.sms.SmsProvider`: writes messages to `terminal`."""

    def __init__(self, terminal: TextIO) -> None:
        self._terminal = terminal

    def send(self, number: str, text: str) -> Deferred[Outcome]:
        # Not through print: twistd makes log lines of that, and a code is in no log.
        self._terminal.write(f"\n  Text message to {number}: {text}\n\n")
        self._terminal.flush()
        return succeed(Accepted())

    def stop(self) -> Deferred[None]:
        return succeed(None)


def terminal_bridge(kind: str) -> SmsBridge:
    """The one kind that `make run` has."""
    if kind != KIND:
        raise ConfigError(f"sms.providers: there is no kind {kind}")

    def make(context: SmsContext, settings: Mapping[str, Any]) -> TerminalSms:
        return TerminalSms(sys.__stdout__ or sys.stdout)

    return make
