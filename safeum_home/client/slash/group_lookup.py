"""Which group or invitation of the terminal client is meant, and answering an invitation."""

from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

from safeum_home.client.desk import secure_standing
from safeum_home.client.desk.desk import Desk
from safeum_home.client.errors import RemoteProblem
from safeum_home.client.slash.secure_lookup import unlocked
from safeum_home.client.slash.slash import Mistake
from safeum_home.client.state.chat_view import ChatView
from safeum_home.client.words.group_words import count
from safeum_home.client.words.names import GROUP_MARK, SECURE_MARK, label, within
from safeum_home.client.words.secure_words import COMPARE
from safeum_home.client.words.typed_numbers import chosen
from safeum_home.errors import Code
from safeum_home.protocol.group_types import Invitation
from safeum_home.protocol.types import Contact

G = TypeVar("G")
MAX_NAME = 64
"""Characters of a group's name."""


def here(desk: Desk) -> ChatView:
    """The group that is open."""
    if desk.chat is None or desk.chat.kind != "group":
        raise Mistake("No group is open. /chat NAME opens one, /group NAME makes one.")
    return desk.chat


def fitting(name: str) -> str:
    """A name that a group can have; raises `Mistake`."""
    if len(name) > MAX_NAME:
        raise Mistake(f"That name has {len(name)} characters, and {MAX_NAME} is the most.")
    return name


async def sure(desk: Desk, question: str) -> bool:
    """Whether this person says yes."""
    answer: str = await desk.questions.ask(f"{question} Type yes")
    return answer.strip().casefold() == "yes"


def called(groups: Iterable[G], text: str, name: Callable[[G], str]) -> tuple[list[G], bool]:
    """The groups that are called this, else those that begin so, and whether it is all of the name."""
    wanted = label(text.strip().removeprefix(GROUP_MARK)).casefold()
    names = [(group, label(name(group)).casefold()) for group in groups] if wanted else []
    if found := [group for group, each in names if each == wanted]:
        return found, True
    return [group for group, each in names if each.startswith(wanted)], False


def marked(text: str) -> bool:
    """Whether the mark of groups is written before a name: then nobody's name is meant by it."""
    return text.strip().startswith(GROUP_MARK)


def clearer(
    people: list[Contact], groups: list[G], whole: tuple[bool, bool]
) -> tuple[list[Contact], list[G]]:
    """Those of people and groups whose name is meant: all of a name comes before how one begins.

    A name of a group that is the beginning of somebody's (names are chosen by their owners) is the group's.
    """
    if people and groups and whole == (True, False):
        groups = []
    elif people and groups and whole == (False, True):
        people = []
    return people, groups


def invitation(desk: Desk, text: str) -> Invitation | None:
    """Which invitation is meant: a number of the last list, or the group's name; the only one without."""
    invitations = list(desk.state.groups.invitations.values())
    if not text:
        return invitations[0] if len(invitations) == 1 else None
    if (chat := chosen(text, desk.listed)) is not None:
        return desk.state.groups.invitations.get(chat)
    found, _ = called(invitations, text, lambda one: title(desk, one))
    if len(found) > 1:
        raise Mistake("Which one? /invitations lists them, and their numbers can be given.")
    return found[0] if found else None


def title(desk: Desk, one: Invitation) -> str:
    """What a group is called whose members one is not among: a secure chat by who invites into it."""
    return desk.names.of_member(one.by, one.display_name, one.address) if one.secure else label(one.name)


def invited_groups(desk: Desk) -> list[str]:
    """Completes the groups that one is invited into."""
    return sorted(title(desk, one) for one in desk.state.groups.invitations.values())


def about(desk: Desk, one: Invitation) -> str:
    """An invitation in words."""
    who = desk.names.of_member(one.by, one.display_name, one.address)
    if one.secure:
        known = f" ({trust})" if (trust := secure_standing.trust(desk, one.by)) else ""
        return f"{SECURE_MARK} a secure chat {secure_size(one)}, invited by {within(who)}{known}"
    return f"{label(one.name)}, with {count(one.members)}, invited by {within(who)}"


def secure_size(one: Invitation) -> str:
    """For how many a secure chat is."""
    return "of you two" if one.pair else f"of {count(one.members)}"


async def accept(desk: Desk, one: Invitation) -> None:
    """Join."""
    if one.secure:
        await _answer(desk, one, unlocked(desk).accept)
        desk.secure.forget()
        desk.open(one.chat)
        if not secure_standing.is_verified(desk, one.by):
            desk.note(f"What you say is sealed for those in it. {COMPARE}")
        return
    await _answer(desk, one, desk.client.accept_invitation)
    desk.note(f"You have joined {label(one.name)}: /chat {label(one.name)}", about=one.chat)


async def decline(desk: Desk, one: Invitation) -> None:
    """Do not."""
    await _answer(desk, one, desk.client.decline_invitation)
    where = f"the secure chat of {title(desk, one)}" if one.secure else label(one.name)
    desk.note(f"Declined to join {where}.", about=one.chat)


async def _answer(desk: Desk, one: Invitation, give: Callable[[str], Awaitable[object]]) -> None:
    try:
        await give(one.chat)
    except RemoteProblem as error:
        if not error.of(Code.NOT_FOUND):
            raise
        desk.state.groups.answered(one.chat)
        raise Mistake("This invitation was taken back, or the group is gone.") from None
