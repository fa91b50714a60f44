"""Which of the calls and conferences that ring is meant."""

from safeum_home.client.calling.call import Call
from safeum_home.client.calling.conferences import Ringing
from safeum_home.client.desk.desk import Desk
from safeum_home.client.slash.group_lookup import called, clearer, marked
from safeum_home.client.slash.slash import Mistake, matching
from safeum_home.client.telephony.incoming import IncomingTelephoneCall
from safeum_home.client.words.names import GROUP_MARK
from safeum_home.client.words.telephone_numbers import shown


def call(desk: Desk, text: str) -> Call | IncomingTelephoneCall | None:
    """The call that is meant, or the only one; None where nobody calls, or nobody who is called so.

    Raises `Mistake` where it could be several: nobody is spoken to whom one did not mean.
    """
    if text:
        return _one(desk, _of(desk, text)[0], desk.calls.telephone.called(text))
    return _one(desk, desk.calls.waiting, desk.calls.telephone.waiting)


def meant(desk: Desk, text: str) -> Call | IncomingTelephoneCall | Ringing | None:
    """The same, of calls and conferences."""
    waiting, conferences = desk.calls.conferences.waiting, desk.calls.conferences
    if not text:
        found = _one(desk, desk.calls.waiting, desk.calls.telephone.waiting, waiting)
        return found or next(iter(waiting), None)
    calls, whole = ([], False) if marked(text) else _of(desk, text)
    people = [desk.state.contacts[each.peer] for each in calls]
    groups, all_of_it = called(waiting, text, lambda each: conferences.group(each.chat))
    people, groups = clearer(people, groups, (whole, all_of_it))
    found = _one(desk, calls if people else [], desk.calls.telephone.called(text), groups)
    return found or next(iter(groups), None)


def _of(desk: Desk, text: str) -> tuple[list[Call], bool]:
    """Of those who are called this, else of those whose names begin so; and whether it is all of a name."""
    calls = desk.calls.waiting
    people = {each.peer: desk.state.contacts[each.peer] for each in calls if each.peer in desk.state.contacts}
    found, whole = matching(desk, text, list(people.values()))
    accounts = {person.account for person in found}
    return [each for each in calls if each.peer in accounts], whole


def _one(
    desk: Desk, calls: list[Call], numbers: list[IncomingTelephoneCall], groups: list[Ringing] | None = None
) -> Call | IncomingTelephoneCall | None:
    """Of two calls of one person's the one that rings longer; raises `Mistake` for several."""
    callers = {each.peer: each for each in reversed(calls)}
    groups = groups or []
    if len(callers) + len(numbers) + len(groups) > 1:
        names = [desk.names.name(account) for account in reversed(callers)]
        names += [shown(each.number) for each in numbers]
        names += [f"{GROUP_MARK} {desk.calls.conferences.group(each.chat)}" for each in groups]
        raise Mistake(f"Which one? {', '.join(names)}: write one of these.")
    return next(iter(callers.values()), None) or next(iter(numbers), None)
