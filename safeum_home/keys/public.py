"""The public keys themselves: in memory for as long as the node runs, and nowhere else."""

from typing import NamedTuple

from safeum_home.ids import AccountId
from safeum_home.protocol.key_types import Identity


class Held(NamedTuple):
    """What an account has published, with its hash, and since when that is in force (milliseconds)."""

    identity: Identity
    hash: str
    since: int


class PublicKeys:
    """Of each account of this node that has published since the node was started: some 700 octets."""

    def __init__(self) -> None:
        self._held: dict[AccountId, Held] = {}
        self._doubted: set[AccountId] = set()
        self.turns = 0
        """How often it was doubted, or an account was forgotten: what was read before is no proof then."""

    def get(self, account: AccountId) -> Held | None:
        return self._held.get(account)

    def is_sure(self, account: AccountId) -> bool:
        """Whether what is held is known to be in force."""
        return account not in self._doubted

    def doubt(self) -> None:
        """Something may have been stored that was not told: the log says which keys are in force."""
        self._doubted = set(self._held)
        self.turns += 1

    def put(self, account: AccountId, held: Held) -> None:
        """These are in force now: whoever calls it does so in the order of the commits."""
        self._held[account] = held
        self._doubted.discard(account)

    def forget_account(self, account: AccountId) -> None:
        """The account was closed."""
        self.turns += 1
        self._held.pop(account, None)
        self._doubted.discard(account)
