"""Relations to accounts of other nodes as rows: one's own side, as for any contact, and what is known of the
other one, which has a row of its own while it wants the contact."""

from typing import NamedTuple

from sqlalchemy import Connection

from safeum_home.accounts.contact_rows import ContactSide, Entry
from safeum_home.accounts.directory import OpenAccount
from safeum_home.accounts.foreign_notes import ForeignNotes
from safeum_home.accounts.foreign_relation import OPEN, Pair, is_news
from safeum_home.accounts.relation import ACCEPTED, NONE, STATES
from safeum_home.ids import AccountId, direct_chat_id
from safeum_home.ports import Blinder, EpochTurns
from safeum_home.protocol.types import Contact
from safeum_home.storage import avatars, contacts, profiles
from safeum_home.storage.keys import LASTING
from safeum_home.storage.rows import ContactRow


class Known(NamedTuple):
    """A relation as it is stored. `entry` is one's own side, None where there is no row for it."""

    pair: Pair
    entry: Entry | None


class ForeignPairs:
    """Reads and writes them for their owners, inside transactions."""

    def __init__(self, side: ContactSide, blinder: Blinder, notes: ForeignNotes, turns: EpochTurns) -> None:
        self._side = side
        self._blinder = blinder
        self._notes = notes
        self._turns = turns

    def read(self, c: Connection, owner: OpenAccount, peer: AccountId) -> Known:
        entry = self._side.read(c, owner, peer)
        row = contacts.contact(c, self._blinder.account(peer), owner.blind)
        theirs = NONE if row is None else STATES[row.state]
        if entry is None:
            return Known(Pair(theirs=theirs), None)
        return Known(Pair(entry.state, theirs, entry.asked, entry.heard), entry)

    def write(
        self,
        c: Connection,
        owner: OpenAccount,
        peer: AccountId,
        known: Known,
        pair: Pair,
        address: str,
        position: int,
    ) -> Contact | None:
        """Store what became of a relation, and note it for the other node; how its owner sees it now.

        None where that is as it was before, also what `address` it has.
        """
        before, entry = known
        if pair == before and entry is not None and entry.address == address:
            return None
        shown = entry is None or entry.state is not pair.mine or entry.address != address
        chat = direct_chat_id(owner.account, peer)
        at = position if shown or entry is None else entry.position
        written = Entry(peer, address, chat, pair.mine, at, pair.asked, pair.heard)
        if pair != Pair() or entry is not None:
            self._side.write(c, owner, written)
        foreign = self._blinder.account(peer)
        if pair.theirs in OPEN:
            state, blind = STATES.index(pair.theirs), self._blinder.chat(chat)
            contacts.put_contact(c, ContactRow(foreign, owner.blind, blind, state, at, contacts.ELSEWHERE))
        elif before.theirs in OPEN:
            contacts.delete_contact(c, foreign, owner.blind)
        if is_news(before, pair):
            # What ends something goes before messages that wait, as erasures do.
            self._notes.relation(c, owner.blind, peer, urgent=pair.mine not in OPEN)
        if pair.mine is ACCEPTED and before.mine is not ACCEPTED:
            self._notes.profile(c, owner.blind, self._notes.nodes([peer]))
        elif before.mine is ACCEPTED and pair.mine is not ACCEPTED:
            self.forget(c, foreign)
        return self._side.show(c, written) if shown else None

    def tell(self, c: Connection, owner: OpenAccount, peer: AccountId) -> None:
        """The other node has not heard yet how it is."""
        self._notes.relation(c, owner.blind, peer, urgent=False)

    def drop(self, c: Connection, owner: bytes, peer: AccountId) -> None:
        """The account `owner` is being closed."""
        foreign = self._blinder.account(peer)
        contacts.delete_contact(c, foreign, owner)
        self.forget(c, foreign)

    def forget(self, c: Connection, foreign: bytes) -> None:
        """Erase what is kept of an account of another node, where nobody here is in contact with it."""
        if profiles.profile(c, foreign) is None or contacts.mutual_here(c, foreign):
            return
        profiles.delete_profile(c, foreign)
        avatars.delete_avatar(c, foreign)
        if LASTING.delete_key(c, foreign):
            LASTING.mark_erased(c, self._turns.epoch)
