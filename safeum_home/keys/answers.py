"""What of another node's answer to a question for keys is believed."""

from collections.abc import Collection, Sequence

from msgspec.structs import replace

from safeum_home.ids import AccountId
from safeum_home.protocol.key_types import AccountKeys, Launch, hash_of, is_bound


class Untrue(Exception):
    """The answer is none: it is of accounts that were not asked for, or of one more than once."""


def believed(
    asked: Collection[AccountId], answer: Sequence[AccountKeys], now: int
) -> dict[AccountId, AccountKeys]:
    """What it says of each account, without what is not signed as it has to be; raises `Untrue`.

    `now` is in milliseconds. Some 60 us for each signature.
    """
    accounts = [AccountId(each.account) for each in answer]
    if len(set(accounts)) != len(accounts) or not set(accounts) <= set(asked):
        raise Untrue
    return {account: _checked(account, each, now) for account, each in zip(accounts, answer, strict=True)}


def _checked(account: AccountId, said: AccountKeys, now: int) -> AccountKeys:
    launches = tuple(_launch(account, said, launch, now) for launch in said.launches)
    if said.hash is None or said.since is None:
        return AccountKeys(account, launches=launches)
    identity = said.identity
    if identity is not None and hash_of(account, identity) != said.hash:
        identity = None
    return replace(said, identity=identity, unavailable=identity is None, launches=launches)


def _launch(account: AccountId, said: AccountKeys, launch: Launch, now: int) -> Launch:
    """Launch keys that are bound to the keys in force, or to none."""
    identity = said.identity
    if launch.bound is None or (identity is not None and is_bound(account, launch, identity.sign, now)):
        return launch
    return replace(launch, bound=None)
