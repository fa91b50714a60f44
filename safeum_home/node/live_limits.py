"""The limits of the configuration as they are in force: looked at, and changed until the next start."""

from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from safeum_home.config import LimitSection
from safeum_home.errors import Code, Problem
from safeum_home.limits import RateLimit


@dataclass(frozen=True, slots=True)
class Use:
    """Where settings of `[limits]` are in use, and what brings new ones there."""

    names: tuple[str, ...]
    apply: Callable[[LimitSection], None]
    held_back: Callable[[], int] | None = None
    """How many are at the first of the limits now, where they can be counted."""


def rate(name: str, limit: RateLimit, times: int = 1, burst: str | None = None) -> Use:
    """A rate with its burst, of which `limit` allows so many `times` as much."""
    with_burst = burst or f"{name}_burst"

    def apply(section: LimitSection) -> None:
        limit.change(getattr(section, name) * times, getattr(section, with_burst) * times)

    return Use((name, with_burst), apply, limit.held_back)


@dataclass(frozen=True, slots=True)
class Row:
    """A limit: its value now, that of the configuration, and how many are held back by it."""

    name: str
    value: float | str
    configured: float | str
    held_back: int | None


class LiveLimits:
    """`[limits]`, and all who go by it."""

    def __init__(self, section: LimitSection, *uses: Use) -> None:
        self.now = section
        self._configured = section
        self._uses = list(uses)

    def add(self, use: Use) -> None:
        """Somebody more goes by them, and begins with those that are in force."""
        self._uses.append(use)
        use.apply(self.now)

    @property
    def fixed(self) -> set[str]:
        """The settings that nobody here can change."""
        return set(LimitSection.__struct_fields__) - {name for use in self._uses for name in use.names}

    def set(self, name: str, text: str) -> None:
        """Put a value in force; raises `not_found`, and `invalid_params` as the file would be refused."""
        if name not in LimitSection.__struct_fields__:
            raise Problem(Code.NOT_FOUND, "there is no limit of this name: safeum-home limits")
        if name in self.fixed:
            raise Problem(Code.INVALID_PARAMS, f"{name} can be changed in the configuration only")
        try:
            changed = {**msgspec.structs.asdict(self.now), name: text}
            section = msgspec.convert(changed, LimitSection, strict=False)
        except msgspec.ValidationError as error:
            raise Problem(Code.INVALID_PARAMS, str(error).replace("$", "limits")) from None
        self.now = section
        for use in self._uses:
            use.apply(section)

    def rows(self) -> list[Row]:
        """All of them, in the order of the configuration."""
        held: dict[str, int] = {}
        for use in self._uses:
            if use.held_back is not None:
                held[use.names[0]] = held.get(use.names[0], 0) + use.held_back()
        return [
            Row(name, getattr(self.now, name), getattr(self._configured, name), held.get(name))
            for name in LimitSection.__struct_fields__
        ]
