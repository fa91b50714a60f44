"""Which of the calls and conferences that ring is meant."""

from safeum_home.client.calling.call import Call
from safeum_home.client.calling.conferences import Ringing
from safeum_home.client.desk import Desk
from safeum_home.client.group_lookup import called, clearer, marked
from safeum_home.client.names import GROUP_MARK
from safeum_home.client.slash import Mistake, matching


def call(desk: Desk, text: str) -> Call | None:
    """The call that is meant, or the only one; None where nobody calls, or nobody who is called so.

    Raises `Mistake` where it could be several: nobody is spoken to whom one did not mean.
    """
    calls = _of(desk, text)[0] if text else desk.calls.waiting
    return _one(desk, calls, [])[0]


def meant(desk: Desk, text: str) -> tuple[Call | None, Ringing | None]:
    """The same, of calls and conferences: one of the two, or neither."""
    if not text:
        return _one(desk, desk.calls.waiting, desk.calls.conferences.waiting)
    calls, whole = ([], False) if marked(text) else _of(desk, text)
    people = [desk.state.contacts[each.peer] for each in calls]
    conferences = desk.calls.conferences
    groups, all_of_it = called(conferences.waiting, text, lambda each: conferences.group(each.chat))
    people, groups = clearer(people, groups, (whole, all_of_it))
    return _one(desk, calls if people else [], groups)


def _of(desk: Desk, text: str) -> tuple[list[Call], bool]:
    """Of those who are called this, else of those whose names begin so; and whether it is all of a name."""
    calls = desk.calls.waiting
    people = {each.peer: desk.state.contacts[each.peer] for each in calls if each.peer in desk.state.contacts}
    found, whole = matching(desk, text, list(people.values()))
    accounts = {person.account for person in found}
    return [each for each in calls if each.peer in accounts], whole


def _one(desk: Desk, calls: list[Call], groups: list[Ringing]) -> tuple[Call | None, Ringing | None]:
    """Of two calls of one person's the one that rings longer."""
    callers = {each.peer: each for each in reversed(calls)}
    if len(callers) + len(groups) > 1:
        names = [desk.names.name(account) for account in reversed(callers)]
        names += [f"{GROUP_MARK} {desk.calls.conferences.group(each.chat)}" for each in groups]
        raise Mistake(f"Which one? {', '.join(names)}: write one of these.")
    return next(iter(callers.values()), None), next(iter(groups), None)
