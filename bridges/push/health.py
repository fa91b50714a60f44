"""Whether a provider can wake anybody, and is to be believed that an address is dead."""

from collections import OrderedDict, deque
from collections.abc import Hashable
from typing import Any

from twisted.logger import Logger

from bridges.guard import Guard

LOOKED = 1.0
"""Seconds that what the provider says of its trouble is kept: it opens a secret for that."""
LAST = 250
"""Answers of a service that are looked back at."""
MOST, SHARE = 50, 0.2
"""Where more of these, and a larger part of them, say that the address is dead, no more are forgotten."""
SERVICES = 1024
"""Whose answers are kept: those that answered last."""


class Health:
    """Of one provider. `clock` provides IReactorTime."""

    _log = Logger()

    def __init__(self, name: str, guard: Guard, clock: Any) -> None:
        self._name = name
        self._guard = guard
        self._clock = clock
        self._refused = False
        """The node's account: from then on until a wake is taken."""
        self._looked_at = -LOOKED
        self._has_trouble = False
        self._dead: OrderedDict[Hashable, deque[bool]] = OrderedDict()
        self._is_deadly = False

    def can_wake(self) -> bool:
        """As `ports.push.Pushes.can_wake`."""
        now = self._clock.seconds()
        if not 0 <= now - self._looked_at < LOOKED:
            self._looked_at, self._has_trouble = now, self._guard.trouble is not None
        return not (self._refused or self._has_trouble)

    def tested(self) -> None:
        """It took an operator's wake."""
        self._refused = False

    def took(self, service: Hashable | None) -> None:
        """It took a wake, or one of its services did."""
        self._refused = False
        self._answered(service, dead=False)

    def refused(self, reason: str) -> None:
        """It refuses this node."""
        if not self._refused:
            self._refused = True
            self._log.error(
                "ALARM: push provider {provider} refuses this node: {reason}",
                provider=self._name,
                reason=reason,
            )

    def is_dead(self, service: Hashable | None) -> bool:
        """It says that an address is dead: whether that is to be believed.

        Where it says so of very many it is likelier that something else is wrong, with it or with the
        settings, and all registrations would be gone for that.
        """
        answers = self._answered(service, dead=True)
        dead = sum(answers)
        if dead <= MOST or dead <= SHARE * len(answers):
            self._is_deadly = False
            return True
        if not self._is_deadly:
            self._is_deadly = True
            self._log.error(
                "ALARM: push provider {provider} says that many addresses are dead: they are kept",
                provider=self._name,
            )
        return False

    def _answered(self, service: Hashable | None, dead: bool) -> deque[bool]:
        answers = self._dead.setdefault(service, deque(maxlen=LAST))
        answers.append(dead)
        self._dead.move_to_end(service)
        if len(self._dead) > SERVICES:
            self._dead.popitem(last=False)
        return answers
