"""How a case is run: what against, for how long, how large."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench import node, targets
from bench.meter import Meter
from bench.profile import Profiler
from bench.subjects import RelaySubject, Subject
from bench.targets import Target

TARGETS = ("node", "relay", "fast")


@dataclass(frozen=True)
class Options:
    """`seconds` is the measured window; `scale` shrinks the numbers of pairs and connections."""

    target: str = "node"
    seconds: float = 8.0
    warm_up: float = 2.0
    scale: float = 1.0
    profile: Path | None = None
    gil: bool = False

    @property
    def relay_seconds(self) -> float:
        """The relay is measured twice, so each time for half as long."""
        return self.seconds / 2

    def scaled(self, count: int) -> int:
        return max(1, round(count * self.scale))

    def meter(self, target: Target, name: str) -> Meter:
        """A meter for a run against `target`; only what the case is about is profiled."""
        return Meter(target.pid, self.profiler(name) if target.name == self.target else None)

    def profiler(self, name: str) -> Profiler | None:
        """For a run of what the case is about, where that is to be profiled."""
        return None if self.profile is None else Profiler(self.profile / name, gil=self.gil)

    @contextmanager
    def subject(
        self,
        *,
        pairs: int = 0,
        people: int = 0,
        group: int = 0,
        real_passwords: bool = False,
        restarted: bool = False,
    ) -> Iterator[Subject]:
        """What is to be measured, with its accounts made; then `restarted`, so that it holds nothing else.

        The first `group` of the people are in a group together.
        """
        if self.target == "node":
            with node.running(real_passwords=real_passwords) as home:
                home.subject.sign_up_pairs(pairs)
                home.subject.sign_up_people(people)
                if group:
                    home.found_group(group)
                if restarted:
                    home.restart()
                yield home.subject
        else:
            with targets.relay(fast=self.target == "fast") as target:
                yield RelaySubject(target)
