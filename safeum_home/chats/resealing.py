"""What is sealed under a chat's key, beside its messages and its record, when the chat gets another key.

Whoever seals something else of a chat, which is to outlive the erasure of its past, adds it here.
"""

from sqlalchemy import Connection

from safeum_home.chats.groups.pages import open_picture, seal_picture
from safeum_home.chats.groups.roster import RosterState, open_entry, seal_entry
from safeum_home.damage import undamaged
from safeum_home.ports import Key
from safeum_home.storage import avatars, roster
from safeum_home.storage.rows import RosterRow


def reseal_chat(c: Connection, old: Key, fresh: Key, chat: bytes) -> None:
    """Seal roster and picture of a group under its new key. What did not open is lost, as it was before."""

    def resealed(row: RosterRow) -> RosterRow:
        record = open_entry(old, row)
        return seal_entry(fresh, row.chat, row.account, row.position, RosterState(row.state), record)

    roster.put_entries(c, undamaged(roster.entries(c, chat), resealed, "members"))
    picture = avatars.avatar(c, chat)
    found = undamaged([picture] if picture else [], lambda sealed: open_picture(old, chat, sealed), "avatars")
    for record in found:
        avatars.put_avatar(c, chat, seal_picture(fresh, chat, record))
