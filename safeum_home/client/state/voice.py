"""Whether what comes in the node's name is the node's: its signature, under the key it showed at login.

The key comes over TLS, from the node itself, and is kept for as long as this object is: no database, no
bridge and no later answer of the node puts another one in its place.
"""

from functools import lru_cache

from safeum_home.ids import AccountId, direct_chat_id, support_account, system_account, voicemail_account
from safeum_home.protocol.commands import Opened
from safeum_home.protocol.signing import decode_octets, fingerprint, is_authentic, speaks_for_node
from safeum_home.protocol.types import Message

REMEMBERED = 4096
"""Messages of which it is remembered how they turned out: a screen is drawn often."""


class NodeVoice:
    """Knows the node's own contacts, their chats with this account, and its key."""

    def __init__(self) -> None:
        self.key: str | None = None
        """The node's key; None before the login, and where it showed none: then nothing is authentic."""
        self.account = AccountId("")
        self.support_chat: str | None = None
        self.notes: str | None = None
        """The chat with oneself."""
        self._told = False
        self._holds = lru_cache(REMEMBERED)(self._check)

    def pin(self, opened: Opened) -> None:
        """A session is open. The first one's key stays; with the same root secret a node has no other."""
        if not self._told:
            self._told = True
            self.key = opened.node_key
            self.account = AccountId(opened.account)
            self.notes = direct_chat_id(self.account, self.account)
        self.support_chat = opened.support_chat

    @property
    def node(self) -> str:
        return self.account.partition(":")[2]

    @property
    def fingerprint(self) -> str:
        """The key as people compare it; empty where there is none."""
        key = decode_octets(self.key or "", 32)
        return "" if key is None else fingerprint(key)

    def contact(self, kind: str) -> AccountId:
        """Who writes in a chat of the kind `system`, `support` or `voicemail`."""
        return support_account(self.node) if kind == "support" else system_account(self.node)

    def chat_of(self, kind: str) -> str:
        """The chat of this kind."""
        other = voicemail_account(self.node) if kind == "voicemail" else self.contact(kind)
        return direct_chat_id(self.account, other)

    def kind(self, chat: str, sender: str) -> str | None:
        """`system`, `support`, `voicemail`, or `direct` for the chat with `sender`; None for a larger one.

        Also for one that only one's own messages tell of: the id of a chat does not say with whom it is.
        """
        if not self._told:
            return None
        for kind in ("system", "support", "voicemail"):
            if chat == self.chat_of(kind):
                return kind
        known = sender != self.account and chat == direct_chat_id(self.account, AccountId(sender))
        return "direct" if known else None

    def authentic(self, message: Message) -> bool | None:
        """Whether the node has signed this; None where nobody says that it is the node's."""
        return self._holds(message)

    def forget(self) -> None:
        """Messages were erased: none is remembered."""
        self._holds.cache_clear()

    def _check(self, message: Message) -> bool | None:
        if not speaks_for_node(message, self.account):
            return None
        return self.key is not None and is_authentic(message, self.node, self.key)
