"""Presence: saying that one is there, asking for others, and hiding."""

from safeum_home.protocol.command import Done, Params, Result, command
from safeum_home.protocol.presence import Presence, PresenceAccounts


@command("presence.set", Done, activity=False)
class PresenceSet(Params, frozen=True):
    """Whether this device is in use. One that is not is told nothing of others; then it is told all anew.

    A device counts as in use when it connects, unless it was woken, and for 3 minutes after each command that
    its person gives.
    """

    active: bool


class PresenceList(Result, frozen=True):
    """In the order in which they were asked for."""

    presences: list[Presence]


@command("presence.get", PresenceList, cost=5, activity=False)
class PresenceGet(Params, frozen=True):
    """How it is with contacts now. Whoever is none, hides, or does not exist is `unknown`."""

    accounts: PresenceAccounts


class PrivacyResult(Result, frozen=True):
    """What this account keeps to itself."""

    hide_presence: bool
    hide_typing: bool


@command("account.privacy", PrivacyResult)
class AccountPrivacy(Params, frozen=True):
    """Hide something from everybody, and not be shown it of others; or show it again, at once.

    What is left out stays as it is; with nothing, ask. At first nothing is hidden.
    """

    hide_presence: bool | None = None
    hide_typing: bool | None = None
