"""The commands of the terminal client that are about people."""

from contextlib import suppress

from safeum_home.client.calling.conferences import Ringing
from safeum_home.client.desk import secure_standing
from safeum_home.client.desk.desk import Desk
from safeum_home.client.desk.standing import STANDING
from safeum_home.client.errors import RemoteProblem
from safeum_home.client.slash import group_lookup, ringing
from safeum_home.client.slash.slash import Mistake, find, matching, people, slash
from safeum_home.client.words.names import GROUP_MARK, label
from safeum_home.client.words.text import safe
from safeum_home.errors import Code
from safeum_home.protocol.group_types import Invitation
from safeum_home.protocol.types import Contact, ContactState


@slash("add", "LOGIN@NODE", "ask somebody to be your contact")
async def _add(desk: Desk, argument: str) -> None:
    if not argument:
        raise Mistake("Whom? /add login@node")
    if argument.startswith("+"):
        raise Mistake("Numbers are found with /sync.")
    try:
        found = await desk.client.find(argument)
    except RemoteProblem as error:
        if error.of(Code.NOT_FOUND):
            where = "" if "@" in argument else " here: who is at another node is asked as LOGIN@NODE"
            raise Mistake(f"Nobody has the address {safe(argument)}{where}.") from None
        raise
    if found.account == desk.state.account:
        raise Mistake("That is you.")
    known = desk.state.contacts.get(found.account)
    state = ContactState.NONE if known is None else known.state
    login = desk.names.short(found.address)
    if state is ContactState.INCOMING:
        await desk.client.accept(found.account)
    elif state is ContactState.ACCEPTED:
        raise Mistake(f"{login} is your contact already: /chat {login}")
    elif state is ContactState.BLOCKED:
        raise Mistake(f"You have blocked {login}: /unblock {login} first.")
    elif state is ContactState.REQUESTED:
        raise Mistake(f"{login} was asked already, and has not answered yet.")
    else:
        await desk.client.request(found.account, found.address)
        desk.note(f"Asked {safe(found.address)}. You can write to each other once they accept.")


@slash("contacts", "", "everybody you know, and who is asking")
async def _contacts(desk: Desk, argument: str) -> None:
    entries = sorted(
        desk.state.contacts.values(),
        key=lambda entry: (entry.state is not ContactState.INCOMING, entry.address),
    )
    desk.listed = [entry.account for entry in entries]
    if not entries:
        desk.note("Nobody yet. /add login@node asks somebody.")
    for number, entry in enumerate(entries, 1):
        name, address = desk.names.name(entry.account), safe(entry.address)
        name = "" if name == desk.names.short(entry.address) else f"{name}  "
        standing = STANDING.get(entry.state) or secure_standing.trust(desk, entry.account)
        desk.note(f"{number:3}  {name}{address}  {standing}".rstrip())


def _waiting(desk: Desk) -> list[str]:
    return [*people(ContactState.INCOMING)(desk), *group_lookup.invited_groups(desk)]


def _declinable(desk: Desk) -> list[str]:
    return [*desk.calls.callers, *_waiting(desk)]


@slash("accept", "[NAME]", "accept a request, or an invitation into a group", _waiting)
async def _accept(desk: Desk, argument: str) -> None:
    if (one := _invited(desk, argument)) is not None:
        await group_lookup.accept(desk, one)
        return
    await desk.client.accept(_asking(desk, argument).account)


@slash(
    "decline", "[NAME]", "drop a request, of which they are not told, an invitation, or a call", _declinable
)
async def _decline(desk: Desk, argument: str) -> None:
    found = ringing.meant(desk, argument)
    if isinstance(found, Ringing):
        found.decline()
        desk.note(f"Declined to speak in {desk.calls.conferences.title(found.chat)}.")
        return
    if found is not None:
        desk.calls.decline(found)
        return
    if (one := _invited(desk, argument)) is not None:
        await group_lookup.decline(desk, one)
        return
    contact = _asking(desk, argument)
    await desk.client.decline(contact.account)
    desk.note(f"Declined {safe(contact.address)}.")


def _invited(desk: Desk, argument: str) -> Invitation | None:
    """The group that is meant, where it is no person who asks; raises `Mistake` where it could be both."""
    if not argument:
        with suppress(Mistake):
            _asking(desk, "")
            return None
        return group_lookup.invitation(desk, "")
    invitations = desk.state.groups.invitations.values()
    groups, whole = group_lookup.called(invitations, argument, lambda one: group_lookup.title(desk, one))
    persons, named = matching(desk, argument, [] if group_lookup.marked(argument) else desk.wanted())
    persons, groups = group_lookup.clearer(persons, groups, (named, whole))
    if persons and groups:
        which = (
            *(one.address for one in persons),
            *(f"{GROUP_MARK} {group_lookup.title(desk, one)}" for one in groups),
        )
        raise Mistake(f"Which one? {', '.join(map(safe, which))}: write one of these.")
    if persons:
        return None
    found = group_lookup.invitation(desk, argument)
    if found is None and not matching(desk, argument, desk.names.people())[0]:
        raise Mistake(
            f"{label(argument)} is nobody who asks, and no group that you are invited into:"
            " /contacts lists people, /invitations groups."
        )
    return found


def _asking(desk: Desk, argument: str) -> Contact:
    if not argument and not desk.wanted():
        raise Mistake("Nobody is asking to be your contact.")
    return find(desk, argument, ContactState.INCOMING, otherwise="{} is not asking to be a contact.")


IN_LIST = (ContactState.REQUESTED, ContactState.INCOMING, ContactState.ACCEPTED, ContactState.REMOVED)


REMOVABLE = (*IN_LIST, ContactState.CLOSED)


@slash("remove", "[NAME]", "take somebody out of your contacts", people(*REMOVABLE))
async def _remove(desk: Desk, argument: str) -> None:
    contact = _named(desk, argument, *REMOVABLE, otherwise="{} is not in your contacts.")
    await desk.client.remove(contact.account)
    if contact.state is ContactState.REQUESTED:
        desk.note(f"{safe(contact.address)} is not asked any more.")
    else:
        desk.note(f"{safe(contact.address)} is no longer in your contacts.")


@slash("block", "[NAME]", "no messages and no requests from somebody", people(ContactState.NONE, *IN_LIST))
async def _block(desk: Desk, argument: str) -> None:
    states = (ContactState.NONE, *IN_LIST)
    contact = _named(desk, argument, *states, otherwise="{} is blocked already, or has closed the account.")
    await desk.client.block(contact.account)
    desk.note(f"{safe(contact.address)} is blocked. To them it looks like a removal.")


def _named(desk: Desk, argument: str, *states: ContactState, otherwise: str) -> Contact:
    """Not the only one there is: somebody who was not named is not parted with."""
    if not argument and (desk.chat is None or desk.chat.of_node):
        raise Mistake("Whom? Give a name, as in /contacts.")
    return find(desk, argument or (desk.chat.address if desk.chat else ""), *states, otherwise=otherwise)


@slash("unblock", "[NAME]", "lift a block", people(ContactState.BLOCKED))
async def _unblock(desk: Desk, argument: str) -> None:
    contact = find(desk, argument, ContactState.BLOCKED, otherwise="{} is not blocked.")
    await desk.client.unblock(contact.account)
    desk.note(f"{safe(contact.address)} is no longer blocked.")
