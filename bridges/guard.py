"""How it is with a provider: whether it may be asked now, and what is said when that changes."""

from typing import Any

from twisted.logger import Logger

from bridges.breaker import Breaker

LONGEST_REST = 3600.0
"""Seconds; a provider that asks to be left alone for longer is tried all the same."""


class Guard:
    """One provider's breaker, and the rest it asks for. `one` is what it takes: "message", "wake".

    `clock` provides IReactorTime.
    """

    _log = Logger()

    def __init__(self, name: str, provider: object, breaker: Breaker, clock: Any, one: str) -> None:
        self.name = name
        self.breaker = breaker
        self._provider = provider
        self._clock = clock
        self._one = one
        self._rest = 0.0
        """Seconds that the provider asked for."""
        self._rests_until = 0.0

    @property
    def wait(self) -> float:
        """Seconds until the provider may be asked; 0 where it may now."""
        return max(self.breaker.wait, self._resting)

    @property
    def trouble(self) -> str | None:
        """Why the provider cannot take anything, in its own words, where it has some."""
        try:
            trouble: str | None = getattr(self._provider, "trouble", None)
        except Exception as error:
            # A third party's: its text may quote a secret.
            return f"its bridge failed: {type(error).__name__}"
        return trouble

    @property
    def standing(self) -> str:
        """How it is with the provider, in words for the operator; its own, where it has some."""
        if (trouble := self.trouble) is not None:
            return trouble
        if self.breaker.state == "trying":
            return "being tried again"
        if self.wait > 0:
            return "left alone for a while"
        if self.breaker.state == "closed":
            return f"taking {self._one}s"
        return f"to be tried with the next {self._one}"

    def admit(self) -> int | None:
        """A pass for one request, that is told how it went; None where the provider is left alone."""
        if self._resting > 0:
            return None
        return self.breaker.admit()

    def rest(self, seconds: float) -> None:
        """The provider asks not to be asked for so long: no shorter than it asked before, nor for ever."""
        rest = min(max(0.0, seconds), LONGEST_REST)
        if rest > self._resting:
            self._rest, self._rests_until = rest, self._clock.seconds() + rest

    def took(self, admitted: int) -> None:
        """The provider answered, and not because it is in trouble."""
        before = self.breaker.state
        self.breaker.took(admitted)
        if self.breaker.state != before:
            self._log.info("Provider {provider} takes {one}s again.", provider=self.name, one=self._one)

    def failed(self, admitted: int, reason: str, at_once: bool = False) -> None:
        """The provider is in trouble; `reason` is in the bridge's words."""
        before = self.breaker.state
        self.breaker.failed(admitted, at_once)
        if self.breaker.state != before:
            self._log.warn(
                "Provider {provider} is left alone for {seconds} seconds: {reason}",
                provider=self.name,
                seconds=round(self.breaker.wait),
                reason=reason,
            )

    @property
    def _resting(self) -> float:
        rest: float = self._rests_until - self._clock.seconds()
        # With a clock that was set back it would be left alone for as much longer.
        return rest if 0 < rest <= self._rest else 0.0
