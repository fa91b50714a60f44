"""The part of the configuration that is about what is kept of the past."""

from typing import Annotated

from msgspec import Meta

from safeum_home.config_base import Section


class HistorySection(Section, frozen=True):
    """Chats whose history was disabled (docs/erasure.md), and the log of calls (docs/calls.md)."""

    undelivered_hours: Annotated[int, Meta(ge=2, le=168)] = 168
    """How long a message waits for devices that stay away, up to an hour less; a week at the most."""
    turn_minutes: Annotated[int, Meta(ge=1, le=1440)] = 60
    """How long copies of the disk may open what is gone: their keyring turns for many messages at once."""
    call_log_days: Annotated[int, Meta(ge=1, le=3650)] = 90
    """How long an account's log has when it spoke in a call, and for how long."""
