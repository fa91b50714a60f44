"""What a secure chat tells its program: shown, asked for, or a warning."""

from collections.abc import Iterable

from safeum_home.client.secure import events as e
from safeum_home.client.secure.chat import SecureChat
from safeum_home.client.secure.payloads import Deletion, Edit, Reaction
from safeum_home.client.secure.refused import Reason
from safeum_home.client.unlocked.comparisons import Comparisons
from safeum_home.client.unlocked.events import InClear, NotChanged, SecureChanged, SecureWarning
from safeum_home.client.unlocked.home import Home
from safeum_home.client.unlocked.items import Items, item_of, unread
from safeum_home.client.unlocked.members import Told

MOST_ASKED = 400
"""Accounts by a node's word alone of which keys are asked for, and pinned: they stay in the vault."""


class Hearing:
    """A part of `Exchange`."""

    id: str
    items: Items
    comparisons: Comparisons
    _home: Home
    _chat: SecureChat
    _told: Told
    peer: str | None
    _asked: set[str]
    """Whom nobody had vouched for when their keys were asked for."""
    _strange: frozenset[str] = frozenset()
    """Whom the node has named since the last tick, and nobody had vouched for."""
    _doubted: frozenset[str] = frozenset()
    """The same of the tick before."""
    _oldest: str | None = None
    _was_in = False
    """Whether anybody has ever vouched for this account here."""

    @property
    def members(self) -> frozenset[str]:
        """Who can read what is said: by the word of members, not of the node."""
        return frozenset(self._chat.members)

    def _heard(self, event: e.Event) -> None:
        match event:
            case e.Received():
                self._received(event)
            case e.KeysNeeded(accounts=accounts):
                self._ask(accounts)
            case e.VaultNewer(version=version):
                self._home.vault_newer(version)
            case e.Waiting(reference=reference, accounts=accounts):
                if (item := self.items.by_reference(reference)) is not None:
                    item.waits_for = accounts
                    self._home.tell(SecureChanged(self.id, item))
            case e.RosterChanged(by=by, change=change):
                if by in self.members:  # by the list of who leaves nobody comes in
                    self._told.welcomed(self.members)
                if any(change):
                    self._warn(event)
                self._enter()
            case e.Gone(accounts=accounts):
                if gone := tuple(each for each in accounts if not self._is_awaited(each)):
                    self._warn(e.Gone(gone))
            case e.NotVouched(accounts=accounts):
                self._doubt(accounts)
            case e.Refusal(reason=Reason.FORMER_KEYS, id=id) if self.items.by_id(id) is not None:
                pass  # it is there already
            case e.Refusal(reason=Reason.FORMER_KEYS):
                item = unread(event, int(self._home.clock.seconds() * 1000))
                self.items.add(item)
                self._home.tell(SecureChanged(self.id, item))
            case e.KeysChanged(account=account, after=after):
                self._warn(event)
                if account == self._home.own.account:
                    self._home.followed(after)
            case e.Overtaken():
                pass  # it is signed anew
            case _:
                self._warn(event)

    def _is_awaited(self, account: str) -> bool:
        """Who is invited is vouched for already, and is sealed to once it has come for the first time."""
        has_come = self._told.has_come(account) or self._chat.has_heard(account)
        return self._told.is_invited(account) and not has_come

    def _ask(self, accounts: Iterable[str]) -> None:
        """Ask for keys: of all whom members vouch for, and of so many others that a node names."""
        if self.peer is not None:
            self._home.need([each for each in accounts if each == self.peer])
            return
        named = list(accounts)
        strange = [each for each in named if each not in self.members and each not in self._asked]
        self._asked.update(strange[: MOST_ASKED - len(self._asked)])
        self._home.need([each for each in named if each in self.members or each in self._asked])

    def erased(self) -> None:
        """The past of the chat is gone: nothing of it stays here."""
        self._oldest = None
        self.items.wipe()

    def _enter(self) -> None:
        """Somebody may have vouched for this account: whom have they not vouched for?"""
        if not self._was_in and self._home.own.account in self._chat.members:
            self._was_in = True
            self._doubt(self._told.members - self.members)

    def _doubt(self, accounts: Iterable[str]) -> None:
        """Nobody vouches for these. Where nobody does for this account it is asked once somebody has."""
        if self._was_in:
            self._strange = (self._strange | set(accounts)) & self._told.members

    def _look_at_strangers(self) -> None:
        """Warn of those whom the node still names, and nobody vouches for, after a whole tick.

        Lists of members and the node's come apart: who leaves just as somebody comes is in one of them yet.
        """
        strange = self._told.members - self.members
        if sure := self._doubted & strange:
            self._warn(e.NotVouched(tuple(sorted(sure))))
        self._doubted, self._strange = self._strange & strange, frozenset()

    def _received(self, received: e.Received) -> None:
        payload = received.payload
        if isinstance(payload, Edit | Reaction | Deletion):
            changed = self.items.change(received.sender, payload, (received.stream, received.number))
        elif (item := item_of(received)) is not None:
            if self.items.by_hash(item.hash or "") is not None:
                return
            self.items.sealed(item, item.hash or "")
            self.items.add(item)
            changed = [item]
        else:
            self.comparisons.heard(received.sender, payload)
            return
        for item in changed:
            self._home.tell(SecureChanged(self.id, item))

    def _warn(self, about: e.Event | InClear | NotChanged) -> None:
        self._home.tell(SecureWarning(self.id, about))
