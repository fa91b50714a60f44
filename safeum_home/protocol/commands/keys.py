"""Public keys: publishing one's own, and asking for those of others."""

from typing import Annotated

from msgspec import Meta

from safeum_home.protocol.command import Done, Params, Result, command
from safeum_home.protocol.key_types import (
    AccountKeys,
    BoxKey,
    Identity,
    KeyHash,
    LoggedKeys,
    QueriedAccounts,
)
from safeum_home.protocol.types import Account, Milliseconds, PageSize, PublicKey, Signature


class KeysPublished(Result, frozen=True):
    """The keys are those in force, `since` then, and are handed out for as long as the node runs."""

    hash: KeyHash
    since: Milliseconds


@command("keys.publish", KeysPublished, cost=2, activity=False)
class KeysPublish(Params, frozen=True):
    """Publish the account's public keys, whenever a device has connected.

    Others than are in force are refused with `key_mismatch` unless `replaces` is the hash of these: then
    everybody who is in a chat with the account is told (`keys.changed`).
    """

    identity: Identity
    replaces: KeyHash | None = None


class KeyList(Result, frozen=True):
    """In the order in which they were asked for."""

    keys: list[AccountKeys]


@command("keys.query", KeyList, cost=5, activity=False)
class KeysQuery(Params, frozen=True):
    """The public keys of oneself, and of those with whom one is in a chat.

    With `launches` also what devices of contacts have published by `keys.launch`, of at most 4 accounts.
    """

    accounts: QueriedAccounts
    launches: bool = False


class KeyHistory(Result, frozen=True):
    """The newest first. `more`: there are older ones, which `before` the last `number` gets."""

    entries: list[LoggedKeys]
    more: bool


@command("keys.log", KeyHistory, cost=2)
class KeysLog(Params, frozen=True):
    """Which keys an account had, as far as this node knows: hashes, and since when."""

    account: Account
    before: Annotated[int, Meta(ge=0, le=2**53 - 1)] | None = None
    limit: PageSize = 50


@command("keys.launch", Done, activity=False)
class KeysLaunch(Params, frozen=True):
    """Publish keys of this device for as long as it is connected, and a minute more; they replace the last.

    Nothing of them is stored, and nobody is told. `at` is now, by the device's clock. `signature` is by the
    account's identity, and binds for 24 hours (docs/keys.md).
    """

    sign: PublicKey
    box: BoxKey
    at: Milliseconds
    signature: Signature | None = None
