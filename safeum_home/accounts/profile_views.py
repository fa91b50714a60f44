"""What of a profile is shown to whom."""

from sqlalchemy import Connection

from safeum_home.accounts.records import ProfileRecord
from safeum_home.ids import AccountId
from safeum_home.ports import SafeNumbers
from safeum_home.protocol.types import Profile


class ProfileViews:
    """A profile as its owner sees it, and as contacts do."""

    def __init__(self, numbers: SafeNumbers) -> None:
        self._numbers = numbers

    def own(self, c: Connection, record: ProfileRecord) -> Profile:
        """With the number, whether it is shown or not, and with the switch for that."""
        return _profile(record, self._number(c, record), record.show_safenum)

    def shown(self, c: Connection, record: ProfileRecord) -> Profile:
        """With the number only where its owner shows it. Without one, shown and hidden look the same."""
        if record.address:
            return self.foreign(record)
        return _profile(record, self._number(c, record) if record.show_safenum else None, None)

    @staticmethod
    def foreign(record: ProfileRecord) -> Profile:
        """Of an account of another node, which has shown what is to be seen."""
        return _profile(record, record.safenum, None)

    def _number(self, c: Connection, record: ProfileRecord) -> str | None:
        return self._numbers.number_of(c, AccountId(record.account))


def _profile(record: ProfileRecord, number: str | None, switch: bool | None) -> Profile:
    return Profile(
        record.display_name, record.status, record.about, record.fields, record.avatar, number, switch
    )
