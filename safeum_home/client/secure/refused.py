"""Why something of a secure chat is not taken, or not said."""

from enum import StrEnum


class Reason(StrEnum):
    """The value is stable; docs/secure-chats.md lists them."""

    MALFORMED = "malformed"
    """It is not laid out as the page says, or of another version."""
    BAD_SIGNATURE = "bad_signature"
    """Nobody whose keys are known has signed it, as what it is said to be."""
    UNDECRYPTABLE = "undecryptable"
    """It does not open with the key that it should open with."""
    REPLAYED = "replayed"
    """It is there already, or cannot be told from what was there already."""
    FORKED = "forked"
    """Its sender's envelopes do not follow on each other: another one stands in its place."""
    NOT_A_MEMBER = "not_a_member"
    """Its sender may not say that: it is not in the roster, or the epoch."""
    GHOST = "ghost"
    """An epoch for somebody, or for keys, that nobody has vouched for."""
    EXCLUDED = "excluded"
    """An epoch that leaves out this account, or is for other keys of it."""
    BAD_EPOCH = "bad_epoch"
    """The key in an epoch is not the one that the epoch commits to."""
    STALE_EPOCH = "stale_epoch"
    """An epoch for members, or keys, that are none any more; or a message in one."""
    OLD_KEYS = "old_keys"
    """Signed with keys that are not in force any more."""
    FORMER_KEYS = "former_keys"
    """Sealed for, or signed with, keys that this account had before: it cannot be read, and is no alarm."""
    NO_EPOCH = "no_epoch"
    """The epoch of a message, or what an epoch goes by, has not come."""
    NO_KEYS = "no_keys"
    """The keys of a sender or member are not known, or not accepted: `key_unavailable`."""
    NOT_ITS_AUTHOR = "not_its_author"
    """An edit or a deletion of what somebody else has written."""
    ROSTER_FORKED = "roster_forked"
    """A roster that does not follow on the one in force."""
    TOO_LARGE = "too_large"
    """It fits no envelope."""
    TOO_MANY = "too_many"
    """So much waits already that the oldest was dropped, or the newest is refused."""
    WEAK_PASSPHRASE = "weak_passphrase"  # noqa: S105  # a name
    """A passphrase that is guessed too easily."""
    ROLLED_BACK = "rolled_back"
    """A vault that is older than one that was there."""
    DAMAGED = "damaged"
    """A vault that the node has no more as it was put."""


class Refused(Exception):
    """It is not taken. The text is for people; there is nothing of what was refused in it."""

    def __init__(self, reason: Reason, text: str = "") -> None:
        super().__init__(text or reason.value)
        self.reason = reason


class Held(Exception):
    """It can be told only once something else has come: `reason` says what is missing."""

    def __init__(self, reason: Reason, account: str = "") -> None:
        super().__init__(reason.value)
        self.reason = reason
        self.account = account
        """Whose keys are missing, where that is it."""
