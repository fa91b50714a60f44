"""What secure chats have to say to a person: what has happened, and what is to be done about it."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from safeum_home.client.secure import events as e
from safeum_home.client.secure.payloads import Deletion, Edit, Reaction
from safeum_home.client.secure.people import Person, Trust
from safeum_home.client.secure.refused import Reason
from safeum_home.client.secure.roster import Change
from safeum_home.client.unlocked.events import InClear, NotAsKept, NotChanged
from safeum_home.client.words.names import within
from safeum_home.protocol.key_types import short_hash
from safeum_home.protocol.signing import encode_octets

LOCKED = "Secure chats are locked here: /unlock opens them with your passphrase."
KEPT = f"{LOCKED} Nothing was sent: what you have written stands in the line again then."

COMPARE = "Compare, so that you know that nobody is in between: /verify"
OF_TWO = "This is a chat of you two, and neither has a say over the other: /leave leaves it."

_NOT_SAID = {
    Reason.TOO_LARGE: "That is too long for one message.",
    Reason.MALFORMED: "That is too long for one message, or has nothing in it.",
    Reason.NOT_A_MEMBER: "Not sent: by the word of its members you are not in this chat any more.",
    Reason.TOO_MANY: "Not sent: too much waits here already. /drop forgets what waits.",
    Reason.NOT_ITS_AUTHOR: "What others have written is theirs to change.",
    Reason.NO_KEYS: "Their public keys are not known: they have to unlock once while you are connected.",
}

_FORGED = (
    "What is said to be of {name} is forged or damaged: it was not taken, and is not shown. Nothing of"
    " yours is lost. If it goes on, a node in between is not to be trusted: ask {name} by another way."
)
_FORGED_OWN = (
    "What is said to be of a device of yours is forged or damaged, or signed with a former security key: it"
    " was not taken, and is not shown."
)
_REFUSED = {
    Reason.REPLAYED: "Something of {name} was shown here a second time, and was not taken. A node in"
    " between has done that; nothing is lost.",
    Reason.FORKED: "{Name} seems to write with two programs of one memory, or you are shown something else"
    " than others: it was not taken. Ask {name} whether a device was copied, or restored from a backup.",
    Reason.NOT_A_MEMBER: "{Name} has sent something, and is not in this chat by the word of its members: it"
    " was not taken. /members says who is.",
    Reason.GHOST: "{Name} wants what is said to be read by somebody whom no member has vouched for: that was"
    " refused. Ask {name} by another way.",
    Reason.EXCLUDED: "{Name} says something that is sealed for others, or for a former security key of"
    " yours: it cannot be read here. If you have not taken another passphrase, ask {name}.",
    Reason.STALE_EPOCH: "Something of {name} came too late, sealed for members or keys of before: it was not"
    " taken. Ask for it again.",
    Reason.OLD_KEYS: "Something of {name} was signed with a former security key, and came too late: it was"
    " not taken. Ask for it again.",
    Reason.NO_EPOCH: "Something of {name} cannot be read yet: the key for it has not come. It is shown once"
    " it comes; if it does not, a node holds it back: ask {name} to say it again.",
    Reason.NO_KEYS: "Something of {name} waits for a security key that you can accept, or that the node"
    " does not have now: /verify {login} says how that stands.",
    Reason.NOT_ITS_AUTHOR: "{Name} has tried to change or delete what somebody else has written: that was not"
    " done.",
    Reason.ROSTER_FORKED: "{Name} has signed a list of members that does not follow on the one in force."
    " Whoever was removed stays so. /members says who reads here; invite anew whom you miss.",
    Reason.TOO_MANY: "So much waits here for keys that the oldest was dropped. /history loads it again.",
}

_FORMER = "What was said for your former security key is not shown: it cannot be read with this passphrase."
_GAP = (
    "Of {name} {count} before the last one {verb} missing: shown as late if it comes yet. A node may hold"
    " it back: ask {name}."
)
_MISSING = "{Name} has seen {count} that did not come here. A node may hold that back: ask what it was."
_MISSING_OF = (
    "{Name} has seen {count} of {other} that did not come here. A node may hold that back: ask {other}."
)
_UNSEEN = (
    "{Name} has not seen the last of what you have sent ({count}): a node may hold it back. Ask {name} by"
    " another way."
)
_FORKED = (
    "{Name} was shown something else of {other} than you were. A node tells two stories, or a device was"
    " copied: compare what was said."
)
_NOT_VOUCHED = (
    "The node names {names} as in this chat, and no member has vouched for that: nothing that is said can"
    " be read there. /invite vouches, /kick removes."
)
_GONE = (
    "By the word of the node {names} {verb} here no more, which nobody has signed. Nothing is sealed for"
    " them from now on; /invite brings them back."
)
_SUCCESSION = (
    "{Name} has taken another passphrase, and so another security key: {hashes}. The key before has signed"
    " that. Compare again: /verify {login}"
)
_OTHER_KEYS = (
    "The security key of {name} is said to be another one: {hashes}. It is not used, and what is said"
    " waits. Ask {name}, by another way, whether that is so: then /verify {login} accept takes it."
)
_DIFFER = (
    "Nothing can be said here now: the node has another security key of {name} than this chat is sealed"
    " for. Ask {name} by another way; /verify {login} accept takes it."
)
_IN_CLEAR = (
    "What is said to be of {name} came unsealed, and so is not of this chat: it is not shown. A node in"
    " between is not to be trusted."
)

_NOT_CHANGED = "Your node has not taken {what} of yours: nobody has seen it, and it is undone. Try it again."
_CHANGES: dict[type, str] = {Edit: "an edit", Reaction: "a reaction", Deletion: "a deletion"}

_NOT_AS_KEPT = (
    "Your node shows this chat as something else than it is, which only a false node does. It stays what it"
    " was: nothing goes into it unsealed."
)
_PARTNER = (
    "Your node names {name} as the other one in this chat, which only a false node does. It stays what it"
    " was: nothing is sealed for {name}."
)

_VAULT = {
    Reason.ROLLED_BACK: "What your node keeps for you of secure chats is older than it was: a backup was"
    " put back, or it is not to be trusted. What was verified since may not be known. /vault take goes on"
    " with it, /vault renew puts what is known here in its place.",
    Reason.FORKED: "What your node keeps for you of secure chats is not what your devices have written, and"
    " is not used. /vault take goes on with it all the same, /vault renew puts what is known here in its"
    " place.",
    Reason.UNDECRYPTABLE: "What your node keeps for you of secure chats does not open with this passphrase:"
    " nobody counts as verified. /vault renew puts what is known here in its place; then compare: /verify",
    Reason.TOO_LARGE: "There is no room for more in what your node keeps for you of secure chats: what is new"
    " is known on this device alone.",
}
_VAULT_ELSE = (
    "What your node keeps for you of secure chats is damaged, and not used: nobody counts as verified. /vault"
    " renew puts what is known here in its place; then compare again: /verify"
)

MISMATCH = (
    "Your account has another security key than follows from your passphrase. If you have taken another"
    " passphrase on another device: /lock, then /unlock with that one. If not, somebody is in your account:"
    " /devices shows where, /revoke logs it out."
)

TRUST = {
    Trust.UNKNOWN: "waits for their keys",
    Trust.PINNED: "not verified",
    Trust.VERIFIED: "verified",
    Trust.CHANGED: "other keys than before, not verified",
}


def trust_words(person: Person | None) -> str:
    """How well somebody's keys are known."""
    if person is None:
        return TRUST[Trust.UNKNOWN]
    return "other keys are offered, and wait for you" if person.offered else TRUST[person.trust]


def not_said(reason: Reason) -> str:
    """Why something was not done."""
    return _NOT_SAID.get(reason, f"Not done: {reason.value}.")


def vault_refused(reason: Reason) -> str:
    return _VAULT.get(reason, _VAULT_ELSE)


class Said(NamedTuple):
    """`alarm`: it has to be seen."""

    text: str
    alarm: bool = True


class Wording:
    """`name` is what an account is called, `login` what stands for it in a command; `own` is one's own.

    Names are chosen by their owners: they are only ever filled in, and nothing in them is looked at.
    """

    def __init__(self, name: Callable[[str], str], login: Callable[[str], str], own: str) -> None:
        self._name = name
        self._login = login
        self._own = own

    def of(self, about: e.Event | InClear | NotAsKept | NotChanged) -> Said | None:
        """What is to be told of it; None where there is nothing to tell."""
        match about:
            case e.Refusal(reason=Reason.FORMER_KEYS):
                return Said(_FORMER, False)
            case e.Refusal(reason=reason, sender=sender):
                forged = _FORGED_OWN if sender == self._own else _FORGED
                return Said(self._fill(_REFUSED.get(reason, forged), sender))
            case e.Gap(account, count):
                return Said(self._fill(_GAP, account, count=_messages(count), verb=_is(count)))
            case e.Missing(by, account, count):
                text = _MISSING if account is None else _MISSING_OF
                return Said(self._fill(text, by, count=_messages(count), other=self._called(account or by)))
            case e.Unseen(by, count):
                return Said(self._fill(_UNSEEN, by, count=_messages(count)))
            case e.Forked(by, account):
                return Said(self._fill(_FORKED, by, other=self._called(account)))
            case e.RosterChanged(by, change):
                return None if by == self._own else self._roster(by, change)
            case e.NotVouched(accounts):
                return Said(_NOT_VOUCHED.format(names=self._named(accounts)))
            case e.Gone(accounts):
                return Said(_GONE.format(names=self._named(accounts), verb=_is(len(accounts))))
            case e.KeysChanged(account, before, after, vouched):
                hashes = [short_hash(encode_octets(each)) for each in (before, after)]
                text = _SUCCESSION if vouched else _OTHER_KEYS
                return Said(self._fill(text, account, hashes=" -> ".join(hashes)))
            case e.KeysDiffer(account):
                return Said(self._fill(_DIFFER, account))
            case InClear(sender=sender):
                return Said(self._fill(_IN_CLEAR, sender))
            case NotChanged(change=change):
                return Said(_NOT_CHANGED.format(what=_CHANGES[type(change)]), False)
            case NotAsKept(account=None):
                return Said(_NOT_AS_KEPT)
            case NotAsKept(account=str(account)):
                return Said(self._fill(_PARTNER, account))
        return None

    def _roster(self, by: str, change: Change) -> Said | None:
        if change == Change(removed=(by,)):
            return Said(f"{self._first(by)} has left, and has signed that.", False)
        # Whoever begins a chat is in its first list, and who leaves is not in the next one.
        others, removed = (
            [each for each in accounts if each != by] for accounts in (change.added, change.removed)
        )
        done = [
            text.format(names=self._named(accounts))
            for text, accounts in (
                ("has vouched for {names}", others),
                ("has removed {names}", removed),
                ("has vouched for another security key of {names}", change.rekeyed),
            )
            if accounts
        ]
        if by in change.removed:
            done.append("has left")
        if not done:
            return None
        advice = " Compare again: /verify" if change.rekeyed else ""
        return Said(f"{self._first(by)} {' and '.join(done)}.{advice}", bool(change.rekeyed))

    def _fill(self, text: str, account: str, **more: str) -> str:
        name, login = self._called(account), self._login(account)
        return text.format(name=name, Name=self._first(account), login=login, **more)

    def _called(self, account: str) -> str:
        return "a device of yours" if account == self._own else self._name(account)

    def _first(self, account: str) -> str:
        return "A device of yours" if account == self._own else self._name(account)

    def _named(self, accounts: Iterable[str]) -> str:
        return listed(within(self._name(each)) for each in accounts)


def listed(names: Iterable[str]) -> str:
    """`Ann, Ben and Cay`."""
    *first, last = sorted(names) or [""]
    return f"{', '.join(first)} and {last}" if first else last


def _messages(count: int) -> str:
    return "one message" if count == 1 else f"{count} messages"


def _is(count: int) -> str:
    return "is" if count == 1 else "are"
