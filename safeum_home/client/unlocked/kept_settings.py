"""Settings of programs: small values, in the vault, so on all devices of the account."""

from collections.abc import Mapping

from safeum_home.client.secure.refused import Reason, Refused
from safeum_home.client.secure.vault_content import MOST_SETTINGS, Setting
from safeum_home.client.unlocked.events import SettingChanged
from safeum_home.client.unlocked.kept import Kept, is_text

MOST = 256
"""Of those that are set."""
MOST_NAME, MOST_TEXT = 64, 1024
"""Characters."""
MOST_OCTETS = 64 * 1024
"""Of all names and texts."""


class KeptSettings(Kept[Setting]):
    """Of what devices have set the later one stays. Names are the programs' own: begin them with yours."""

    def get(self, name: str) -> bool | int | str | None:
        """What was set, here or on another device; None for nothing."""
        setting = self.kept.get(name)
        return None if setting is None else setting.value

    def all(self) -> dict[str, bool | int | str]:
        """All that are set."""
        return {name: each.value for name, each in self.kept.items() if each.value is not None}

    def set(self, name: str, value: bool | int | str | None) -> None:
        """Set it, or drop it with None.

        Raises `Refused`: MALFORMED for what is no truth, number below 2^53, or text; TOO_LARGE, TOO_MANY;
        `wrong_state` while it is locked.
        """
        self._check_open()
        _check(name, value)
        before = self.kept.get(name)
        if before is None and value is None:
            return
        if before is not None and type(before.value) is type(value) and before.value == value:
            return
        self._make_room(name, value)
        self.kept[name] = Setting(self._at(before), value)
        self._changed()

    def _make_room(self, name: str, value: bool | int | str | None) -> None:
        after = {**self.all(), name: value}
        if value is not None and name not in self.kept and len(self.kept) >= MOST_SETTINGS:
            raise Refused(Reason.TOO_MANY)
        if value is not None and sum(each is not None for each in after.values()) > MOST:
            raise Refused(Reason.TOO_MANY)
        texts = [*after, *(each for each in after.values() if isinstance(each, str))]
        if value is not None and sum(len(text.encode()) for text in texts) > MOST_OCTETS:
            raise Refused(Reason.TOO_LARGE)

    def restore(self, settings: Mapping[str, Setting]) -> None:
        """Those of the vault, in which those of here are."""
        before, self.kept = self.all(), dict(settings)
        for name in {**before, **self.kept}:
            value = self.get(name)
            if (type(value), value) != (type(before.get(name)), before.get(name)):
                self._tell(SettingChanged(name, value))


def _check(name: str, value: object) -> None:
    if not isinstance(value, bool | int | str | None):
        raise Refused(Reason.MALFORMED)
    if isinstance(value, int) and not -(2**53) < value < 2**53:
        raise Refused(Reason.MALFORMED)
    texts = [name, value] if isinstance(value, str) else [name]
    if not name or not all(map(is_text, texts)):
        raise Refused(Reason.MALFORMED)
    if len(name) > MOST_NAME or (isinstance(value, str) and len(value) > MOST_TEXT):
        raise Refused(Reason.TOO_LARGE)
