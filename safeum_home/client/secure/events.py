"""What a secure chat tells its program: what was said, and what is not as it should be: to be shown."""

from dataclasses import dataclass

from safeum_home.client.secure.payloads import Payload, Unknown
from safeum_home.client.secure.refused import Reason
from safeum_home.client.secure.roster import Change


@dataclass(frozen=True, slots=True)
class Received:
    """Somebody has said something. `id` is what the node calls it, `at` when it was written, as it says."""

    sender: str
    hash: bytes
    id: str
    at: int
    payload: Payload | Unknown
    past: bool = False
    late: bool = False
    """It was missing: others have come before it."""
    stream: bytes = b""
    number: int = 0
    """Which one of its stream it is."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """An envelope was not taken."""

    reason: Reason
    sender: str
    id: str


@dataclass(frozen=True, slots=True)
class Gap:
    """Envelopes of `account` that should have come before are missing: so many."""

    account: str
    count: int


@dataclass(frozen=True, slots=True)
class Missing:
    """`by` has seen what has not come here within a minute: the last of a stream were cut off, or all of it.

    `account` is whose it is, where that is known.
    """

    by: str
    account: str | None
    count: int


@dataclass(frozen=True, slots=True)
class Unseen:
    """`by` had not seen the last `count` envelopes of this program long after they were said."""

    by: str
    count: int


@dataclass(frozen=True, slots=True)
class Forked:
    """`by` has seen another envelope of `account` in the place of the one that has come here."""

    by: str
    account: str


@dataclass(frozen=True, slots=True)
class RosterChanged:
    """`by` has signed another roster."""

    by: str
    change: Change


@dataclass(frozen=True, slots=True)
class Overtaken:
    """The roster that this program has signed is not in force, as another one stands before it: sign anew."""


@dataclass(frozen=True, slots=True)
class NotVouched:
    """The node names members whom nobody in the roster has vouched for: they are in no epoch."""

    accounts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Gone:
    """The node names these members no more; nothing is sealed to them from now on. Nobody has signed that."""

    accounts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class KeysChanged:
    """The keys of an account are others: both are hashes. `vouched`: those before have said so themselves."""

    account: str
    before: bytes
    after: bytes
    vouched: bool


@dataclass(frozen=True, slots=True)
class KeysNeeded:
    """The program should ask the directory for these, and say `look_again`."""

    accounts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class KeysDiffer:
    """The directory has other keys of an account than members of the group have vouched for, or none are
    accepted yet: nothing is sealed to it meanwhile, and so nothing is sent."""

    account: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """What was said (`reference`) waits in memory for the keys of these accounts: `key_unavailable`."""

    reference: str
    accounts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class VaultNewer:
    """Another program of this account has had version `version` of the vault: ask for it, or it is gone."""

    version: int


Event = (
    Received
    | Refusal
    | Gap
    | Missing
    | Unseen
    | Forked
    | RosterChanged
    | Overtaken
    | NotVouched
    | Gone
    | KeysChanged
    | KeysNeeded
    | KeysDiffer
    | Waiting
    | VaultNewer
)


@dataclass(frozen=True, slots=True)
class Told:
    """An envelope as a node has told it: sender and `id` of the message, and its body."""

    sender: str
    id: str
    data: str
    quiet: bool = False


@dataclass(frozen=True, slots=True)
class Post:
    """An envelope to be posted, in order: the next one once the node has acknowledged this one.

    `reference` names what was said in it; epochs and the like have none. `hash` is that of the envelope.
    """

    data: str
    quiet: bool
    hash: bytes
    reference: str | None = None
