"""The keys of days on which callers have left messages: one for each, for all accounts of the node.

They are in the keyring of fleeting keys: to destroy one voids no backup of what stays.
"""

from sqlalchemy import Connection
from twisted.logger import Logger

from safeum_home.errors import Tampered
from safeum_home.ports import Key, Keyring
from safeum_home.storage import voicemails
from safeum_home.storage.keys import FLEETING

DAY = 24 * 60 * 60 * 1000
_log = Logger()


class VoicemailDays:
    """`days` is for how many messages are kept. Days are counted since 1970 (UTC)."""

    def __init__(self, keyring: Keyring, days: int) -> None:
        self._keyring = keyring
        self._days = days

    def until(self, day: int) -> int:
        """When the key of a day is destroyed (milliseconds): so early that nothing is kept for longer."""
        return (day + self._days) * DAY

    def kept_since(self, now: int) -> int:
        """The first day of which messages are kept."""
        return now // DAY - self._days + 1

    def key(self, c: Connection, day: int) -> Key:
        """That of a day, made with the first message of it. Wipe it after use.

        In the writer's thread and transaction: a turn of the keyring comes before it, or finds it there.
        """
        owner = voicemails.day_owner(day)
        if (wrapped := FLEETING.key(c, owner)) is not None:
            try:
                return self._keyring.unwrap(owner, wrapped)
            except Tampered:
                # What a caller says now is to be kept all the same; what is there opens with no key.
                _log.error("The key of this day's voicemail cannot be opened: another one is made.")
        key, fresh = self._keyring.new_key(owner)
        FLEETING.put_key(c, owner, fresh)
        voicemails.add_day(c, day)
        return key
