"""What secure chats tell a program, beside the events of the node: to whoever listens to the client."""

from msgspec import Struct

from safeum_home.client.sas import Words
from safeum_home.client.secure.events import Event
from safeum_home.client.secure.payloads import Deletion, Edit, Reaction
from safeum_home.client.secure.refused import Reason
from safeum_home.client.secure.vault_content import Draft
from safeum_home.client.unlocked.items import Item


class SecureChanged(Struct, frozen=True):
    """Something was said in a secure chat, or what was said before is something else now."""

    chat: str
    item: Item


class InClear(Struct, frozen=True):
    """A message that nobody has sealed stands in a secure chat: never show it as one of the chat."""

    sender: str
    id: str


class NotAsKept(Struct, frozen=True):
    """The node shows a secure chat as something else than it is by its id, or by the vault: tell its user.

    `shown` is "plain", "group" (and it is a pair), "pair" (and it is a group), or "partner": with `account`
    in place of the other one of a pair. It is read and written as what it is; nothing is said in it in clear.
    """

    shown: str
    account: str | None = None


class NotChanged(Struct, frozen=True):
    """The node has not taken a change of this program: it was taken back, and can be done anew.

    `code` is the node's; empty where it has not said why.
    """

    change: Edit | Reaction | Deletion
    code: str = ""


class SecureWarning(Struct, frozen=True):
    """Something in a secure chat is not as it should be, or is to be known: show it in that chat.

    `about` is one of `client.secure.events`, or `InClear`, `NotAsKept`, `NotChanged`.
    """

    chat: str
    about: Event | InClear | NotAsKept | NotChanged


class KeysMismatch(Struct, frozen=True):
    """The account has other keys than follow from this passphrase; `detail` says which, and since when.

    Ask its owner: mistyped, changed elsewhere, or to be changed now (`SecureChats.replace_keys`)?
    """

    hash: str
    detail: str


class KeysFollowed(Struct, frozen=True):
    """Other keys of this account are in force: hashes. So many chats are `untold` yet."""

    before: bytes
    after: bytes
    untold: int


class VaultRefused(Struct, frozen=True):
    """The vault that the node shows, which is of `version`, is not taken, and nothing is written over it.

    ROLLED_BACK: others of this account, or this program, have had a later one. FORKED: it is another one of
    that version. UNDECRYPTABLE: of another passphrase, or no vault. DAMAGED, MALFORMED: it cannot be read.
    What was pinned and verified may not be known: say so, and ask (`SecureChats.accept_vault`,
    `replace_vault`). TOO_LARGE: what is to be kept does not fit, and is in memory alone.
    """

    reason: Reason
    version: int = 0


class DraftChanged(Struct, frozen=True):
    """Another device has begun something else in a secure chat; None: it has sent or dropped it."""

    chat: str
    draft: Draft | None


class SettingChanged(Struct, frozen=True):
    """Another device of this account has set this; None: it was dropped."""

    name: str
    value: bool | int | str | None


class CompareChanged(Struct, frozen=True):
    """A comparison: `words` is what both should see; `same` what has come of it.

    With neither: the other side asks for it (`Conversation.agree`).
    """

    chat: str
    account: str
    words: Words | None = None
    same: bool | None = None
