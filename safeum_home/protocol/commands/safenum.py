"""SafeNUMs: the international number of an account. Profiles show it, where their owners say so."""

from safeum_home.protocol.command import Params, Result, command


class SafenumState(Result, frozen=True):
    """The number of this account, in international form (E.164)."""

    safenum: str


@command("safenum.request", SafenumState, cost=5)
class SafenumRequest(Params, frozen=True):
    """Have a number, where this account has none yet; it keeps the one that it has.

    `limit_reached` where no number is given at present. All devices are told by `profile.changed`; whether
    contacts see it is said with `profile.set`.
    """
