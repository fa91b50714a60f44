"""What to call people and chats, so that nobody passes for the node, for you, or for somebody else.

Names are chosen by their owners. The node's own chats bear a mark that is taken out of names; a name
that could be taken for another one is shown behind its owner's login, which nobody else can have.
"""

from collections.abc import Callable
from unicodedata import normalize

from safeum_home.client.state.chat_view import UNKNOWN, ChatView
from safeum_home.client.state.state import State
from safeum_home.client.words.text import JOINER, safe
from safeum_home.ids import is_account, is_reserved
from safeum_home.protocol.types import Contact, ContactState

SYSTEM_MARK = "◆"
"""Stands before the name of the node's own chats and what it has signed, and nowhere else."""

GROUP_MARK = "▣"
"""Stands before the name of a group, and nowhere else."""

SECURE_MARK = "🔒"
"""Stands before the name of a secure chat, and nowhere else: a sign may follow on it (`Names.sign`)."""
SIGNS = "✓⚠"

_MOST_NAMED = 4
"""Members by whom a secure chat is called."""

_BLANK = (
    *((0x034F, 0x034F), (0x1160, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F), (0x2800, 0x2800)),
    *((0x16FE4, 0x16FE4), (0x1D159, 0x1D159)),
)
"""Characters that nobody sees, and that are neither spaces nor controls."""
_MARKS = (
    *_BLANK,
    (0x2500, 0x25FF),  # lines, blocks and geometric shapes: all that the screen itself is drawn with
    (0x221A, 0x221A),  # what looks like the sign of who is verified
    (0x237B, 0x237B),
    (0x2610, 0x2612),
    (0x2662, 0x2666),
    (0x26A0, 0x26A0),  # what alarms begin with
    (0x2705, 0x2705),
    (0x2713, 0x2718),
    (0x2756, 0x2756),
    (0x27D0, 0x27D0),
    (0x22C4, 0x22C4),
    (0x2B00, 0x2BFF),
    (0xAA9C, 0xAA9C),
    (0x10102, 0x10102),
    (0x1F4A0, 0x1F4A0),
    (0x1F50F, 0x1F513),  # locks
    (0x1F536, 0x1F539),
    (0x1F5F8, 0x1F5F9),
    (0x1F780, 0x1F7FF),
    (0x1FBB1, 0x1FBB2),
)
_NO_MARKS = {each: "\N{REPLACEMENT CHARACTER}" for low, high in _MARKS for each in range(low, high + 1)}
# Cyrillic and Greek letters, and digits, that look like Latin ones.
_LOOK_ALIKES = str.maketrans(
    "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0455\u0456\u0458\u04bb\u0501\u043c\u0442\u0432\u043a"
    "\u03bf\u03b1\u03c1\u03bd\u03b9\u03ba\u03c4\u03c501",
    "aeopcyxsijhdmtbkoapviktuol",
)
_NODE = "Your node"
YOU = "You"
"""What one is called oneself; nobody else is shown as this."""
_START = 7
"""Characters of an account's id that tell those of one group apart for a reader."""
_TAKEN = (
    *("you", "safeum", "yournode", "system", "support", "admin", "administrator", "notes", "voicemail"),
    "adeviceofyours",
)
"""Names that speak for the program or the node, or for one's own notes."""


def label(text: str) -> str:
    """A name as it is shown: one line, no marks of the screen; empty where there is nothing to see."""
    return " ".join(safe(text).translate(_NO_MARKS).split()).strip(f" {JOINER}")


def bare(title: str) -> str:
    """A name without the mark before it."""
    name = title.strip()
    if name.startswith(SECURE_MARK):
        return name[1:].lstrip(SIGNS).strip()
    return name[1:].strip() if name.startswith((SYSTEM_MARK, GROUP_MARK)) else name


def within(name: str) -> str:
    """A name as it stands within a sentence."""
    return "you" if name == YOU else name


def folded(text: str) -> str:
    """What two names have in common that are taken for each other."""
    letters = normalize("NFKC", text).casefold().translate(_LOOK_ALIKES)
    return "".join(char for char in letters if char.isalnum()).replace("i", "l")


class Names:
    """Names by account and by chat; `forget` after `state` has changed."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._claims: dict[str, set[str]] = {}
        self.sign: Callable[[ChatView], str] = lambda view: ""
        """What stands behind the lock of a secure chat."""
        self.partner: Callable[[ChatView], str | None] = lambda view: None
        """The other one of a secure chat of two, where that is known by more than the word of the node."""

    def forget(self) -> None:
        """Who is called what has changed, perhaps."""
        self._claims = {}

    def short(self, address: str) -> str:
        """An address as one writes it here: without the node where that is one's own."""
        home = "@" + self._state.account.partition(":")[2]
        return label(address.removesuffix(home))

    def title(self, chat: ChatView) -> str:
        """What to call a chat."""
        if chat.of_node:
            otherwise = "Voicemail" if chat.kind == "voicemail" else _NODE
            return f"{SYSTEM_MARK} {label(chat.display_name) or otherwise}"
        if chat.secure:
            return f"{SECURE_MARK}{self.sign(chat)} {self._of_secure(chat)}"
        if chat.kind == "group":
            return f"{GROUP_MARK} {label(chat.display_name)}"
        if chat.kind == "self":
            return "Notes"
        if chat.kind == UNKNOWN:
            return "Unknown chat"
        return self._person(chat.peer, self._chosen(chat.peer, chat.display_name), chat.address)

    def _of_secure(self, chat: ChatView) -> str:
        """A secure chat goes by who is in it: it has no name that its node could read."""
        if (partner := self.partner(chat)) is not None:
            return self.name(partner)
        here = self._state.groups.rosters.get(chat.chat, {}).values()
        others = [one.account for one in here if one.state in ("member", "invited")]
        names = sorted(self.name(each) for each in others if each != self._state.account)
        if len(names) > _MOST_NAMED:
            names[_MOST_NAMED - 1 :] = [f"{len(names) - _MOST_NAMED + 1} more"]
        return ", ".join(names) or label(chat.display_name)

    def name(self, account: str) -> str:
        """What to call an account: a display name, else an address; never an id where a name is known."""
        if account == self._state.account:
            return YOU
        contact = self._state.contacts.get(account)
        if contact is not None:
            return self._person(account, self._chosen(account, contact.display_name), contact.address)
        for chat in self._state.chats:
            if chat.peer == account and chat.group is None:  # a group is nobody, whatever the node says
                return self.title(chat)
        if (member := self._state.groups.anywhere(account)) is not None:
            return self.of_member(account, member.display_name, member.address)
        if (person := self._state.people.get(account)) is not None:
            return self.of_member(account, person.display_name, person.address)
        return safe(account)

    def of_member(self, account: str, display_name: str, address: str) -> str:
        """What to call somebody of a group: who is no contact is known by the login first.

        So it passes for nobody. Who goes by a number has none, and is known by the start of its id.
        """
        if account == self._state.account or account in self._state.contacts:
            return self.name(account)
        login, name = self.short(address), label(display_name)
        if is_account(address):
            login = safe(address)[:_START]
        return f"{login} ({name})" if name and name != login else login

    def full(self, contact: Contact) -> str:
        """The name with the login, where both are known: for what somebody has to decide on."""
        name, login = self.name(contact.account), self.short(contact.address)
        if login in (name, name.partition(" (")[0]):
            return name
        return f"{name.removesuffix(self._elsewhere(contact.account))} ({login})"

    def beside(self, account: str) -> str:
        """What to call one of the two in a direct chat beside messages: the line above has the node."""
        node = account.partition(":")[2]
        return self.name(account).removesuffix(self._elsewhere(account)).removesuffix(f"@{safe(node)}")

    def people(self) -> list[Contact]:
        """Everybody who is known: contacts, and the other sides of chats that outlived one."""
        strangers = [
            Contact(chat.peer, chat.address, chat.chat, ContactState.NONE, chat.display_name)
            for chat in self._state.chats
            if chat.kind == "direct" and chat.peer not in self._state.contacts
        ]
        return [*self._state.contacts.values(), *strangers]

    def _chosen(self, account: str, name: str) -> str:
        """The same name in every state: who is no contact has none, yet is shown under the last one known."""
        if not name:
            contact = self._state.contacts.get(account)
            view = None if contact is None else self._state.chat(contact.chat)
            name = "" if view is None else view.display_name
        return label(name)

    def _person(self, account: str, name: str, address: str) -> str:
        login = self.short(address)
        if not name or name == login:
            return login
        shown = name + self._elsewhere(account)
        plain = all(
            self._claimed(folded(each)) <= {account} and not is_reserved(folded(each))
            for each in {name, shown}
        )
        return shown if plain else f"{login} ({name})"

    def _elsewhere(self, account: str) -> str:
        """What stands behind the name of somebody at another node; nothing at one's own."""
        node = account.partition(":")[2]
        return "" if node in ("", self._state.account.partition(":")[2]) else f" ({safe(node)})"

    def _claimed(self, name: str) -> set[str]:
        """The accounts that are called this, or something that looks like it."""
        if not self._claims:
            claims: dict[str, set[str]] = {folded(each): {""} for each in _TAKEN}
            own = self._state.account
            for each in (label(self._state.profile.display_name), self.short(self._state.address)):
                claims.setdefault(folded(each), set()).add(own)
            for person in self.people():
                chosen = self._chosen(person.account, person.display_name)
                for each in (chosen, chosen + self._elsewhere(person.account), self.short(person.address)):
                    claims.setdefault(folded(each), set()).add(person.account)
            for chat in self._state.chats:
                if chat.of_node:
                    claims.setdefault(folded(label(chat.display_name)), set()).add(chat.peer)
            self._claims = claims
        return self._claims.get(name, set())
