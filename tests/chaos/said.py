"""What was said by whom, as those who said it know it, and how the chats are afterwards."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

DELETED = "(deleted)"


@dataclass
class Saying:
    """A message that was acknowledged. It is one of `may_be` now: more than one where an answer was lost."""

    text: str
    may_be: set[str] = field(default_factory=set)

    def became(self, state: str) -> None:
        """It was changed, and this was acknowledged."""
        self.may_be = {state}

    def may_have_become(self, state: str) -> None:
        """It was to be changed, and nobody knows whether it was."""
        self.may_be.add(state)


Said = Mapping[tuple[str, str], Sequence[Saying]]
"""By chat and sender: what was acknowledged, in its order."""


class Shown(NamedTuple):
    """A message as a device is shown it."""

    id: str
    sender: str
    state: str
    reactions: tuple[tuple[str, int], ...] = ()

    @property
    def alike(self) -> tuple[object, ...]:
        """What is the same everywhere: ids are a node's own."""
        return self.sender, self.state, self.reactions


class View(NamedTuple):
    """A chat as one person has it: read in full, and by the ids of others' messages as they were told."""

    person: str
    messages: Sequence[Shown]
    heard: Sequence[str]


def differences(views: Sequence[View], one_order: bool) -> list[str]:
    """Where those who are in a chat do not see the same; in `one_order` all messages have one."""

    def seen(view: View) -> list[tuple[object, ...]]:
        alike = [each.alike for each in view.messages]
        return alike if one_order else sorted(alike, key=lambda each: str(each[0]))

    first, *others = views
    found = []
    for view in others:
        if (here := seen(view)) != (there := seen(first)):
            at = next((i for i, (a, b) in enumerate(zip(there, here, strict=False)) if a != b), -1)
            what = (
                f"at {at}: {there[at]} and {here[at]}"
                if at >= 0
                else f"{len(there)} and {len(here)} messages"
            )
            found.append(f"{first.person} and {view.person} do not see the same, {what}")
    return found


def faults(chat: str, views: Sequence[View], said: Said, one_order: bool) -> list[str]:
    """What is lost, doubled, made up, out of order or not the same in a chat: an empty list, please."""
    found = differences(views, one_order)
    senders = {sender for where, sender in said if where == chat}
    for view in views:
        for sender in sorted({each.sender for each in view.messages} | senders):
            mine = [each for each in view.messages if each.sender == sender]
            found += _faults_of(f"{view.person} of {sender}", mine, said.get((chat, sender), ()))
        found += _told(view)
    return [f"{chat}: {each}" for each in found]


def _faults_of(whose: str, shown: Sequence[Shown], said: Sequence[Saying]) -> list[str]:
    """Between what somebody said and what is there of it."""
    if len(shown) != len(said):
        known = {state for saying in said for state in saying.may_be}
        there = Counter(each.state for each in shown if each.state != DELETED)
        what = [f"{text!r} is lost" for text in (_last(each) for each in said) if text and text not in there]
        what += [f"{text!r} is there {count} times" for text, count in there.items() if count > 1]
        what += [f"{text!r} was never said" for text in there if text not in known]
        return [f"{whose}: {len(said)} were acknowledged, {len(shown)} are there: {'; '.join(what[:5])}"]
    wrong = [(a, b) for a, b in zip(shown, said, strict=True) if a.state not in b.may_be]
    return [f"{whose}: {a.state!r} where {sorted(b.may_be)} should be" for a, b in wrong[:5]]


def _last(saying: Saying) -> str | None:
    """How it is, where that is known and it was not deleted."""
    [*states] = saying.may_be - {DELETED}
    return states[0] if len(states) == 1 and len(saying.may_be) == 1 else None


def _told(view: View) -> list[str]:
    """Between what is there of others, and what a device was told when it came."""
    there = [each.id for each in view.messages if each.sender != view.person]
    if list(view.heard) == there:
        return []
    missing, more = set(there) - set(view.heard), set(view.heard) - set(there)
    twice = sum(count - 1 for count in Counter(view.heard).values())
    return [
        f"{view.person} was told {len(view.heard)} messages of others where there are {len(there)}: "
        f"{len(missing)} missing, {len(more)} that are not there, {twice} twice"
        + ("" if missing or more or twice else ", and in another order")
    ]


def total(said: Said) -> int:
    """How much was acknowledged."""
    return sum(map(len, said.values()))
