"""The commands of the terminal client that are about groups."""

from safeum_home.client.desk.desk import Desk
from safeum_home.client.desk.group_names import everybody
from safeum_home.client.desk.mentions import present
from safeum_home.client.errors import RemoteProblem
from safeum_home.client.slash import secure_members
from safeum_home.client.slash.group_lookup import about, fitting, here, sure
from safeum_home.client.slash.secure_lookup import unlocked
from safeum_home.client.slash.slash import Mistake, find, people, slash
from safeum_home.client.state.chat_view import ChatView
from safeum_home.client.words.names import label
from safeum_home.client.words.secure_words import OF_TWO
from safeum_home.client.words.text import safe
from safeum_home.client.words.typed_numbers import chosen
from safeum_home.errors import Code
from safeum_home.protocol.group_types import GroupMember
from safeum_home.protocol.types import ContactState, GroupRole

_ROLES: dict[str, GroupRole] = {"owner": "owner", "admin": "admin", "member": "member"}
HERE = ("member", "invited")
NOT_ALLOWED = Code.NOT_PERMITTED.value.title
_WHY = {
    "not_a_contact": "{} does not have you as a contact.",
    "limit_reached": "too many invitations wait for an answer, of {} or of this group.",
    "wrong_member_state": "{} is here already.",
}


def _members(desk: Desk) -> list[str]:
    if desk.chat is None:
        return []
    return sorted(desk.names.short(one.address) for one in present(desk, desk.chat, *HERE))


def _ruled(desk: Desk) -> ChatView:
    """The open group, in which some may do what others may not; raises `Mistake` where it is none."""
    view = here(desk)
    if view.pair:
        raise Mistake(OF_TWO)
    return view


def _member(desk: Desk, view: ChatView, text: str) -> GroupMember:
    """Who of the group is meant: a number of the last list, a login, or a name as it is shown."""
    roster = present(desk, view, *HERE)
    wanted = " ".join(text.removeprefix("@").split()).casefold()
    if not wanted:
        raise Mistake("Whom? Give a name, as in /members.")
    if (account := chosen(wanted, desk.listed)) is not None:
        found = [one for one in roster if one.account == account]
    else:
        found = [one for one in roster if wanted in (desk.names.short(one.address), one.address)]
    if not found:  # somebody of another node, as for contacts
        found = [one for one in roster if one.address.partition("@")[0] == wanted]
    if not found:
        found = [
            one
            for one in roster
            if wanted in (desk.names.name(one.account).casefold(), label(one.display_name).casefold())
        ]
    if len(found) > 1:
        raise Mistake(f"Which one? {', '.join(sorted(safe(one.address) for one in found))}")
    if not found:
        raise Mistake(f"{safe(text)} is not in this group. /members lists who is.")
    if found[0].account == desk.state.account:
        raise Mistake("That is you: nobody does this to themselves. /leave leaves.")
    return found[0]


@slash("group", "NAME", "make a group, and open it")
async def _group(desk: Desk, argument: str) -> None:
    if not argument:
        raise Mistake("What is it to be called? /group NAME; then /invite brings people in.")
    made = await desk.client.create_group(fitting(argument))
    desk.open(made.chat.chat)
    desk.note("This group is yours. /invite NAME invites a contact, /link makes a link to join by.")


@slash("invite", "NAME", "invite a contact into the open group", people(ContactState.ACCEPTED))
async def _invite(desk: Desk, argument: str) -> None:
    view = here(desk)
    if not argument:
        raise Mistake("Whom? /invite NAME")
    if view.pair:
        raise Mistake(secure_members.NO_MORE)
    contact = find(
        desk, argument, ContactState.ACCEPTED, otherwise="{} is not a contact of yours: /add asks them."
    )
    await everybody(desk, view)
    states = {one.account: one.state for one in present(desk, view, *HERE)}
    if (state := states.get(contact.account)) is not None:
        already = "in this group" if state == "member" else "invited"
        raise Mistake(f"{desk.names.full(contact)} is {already} already.")
    try:
        if view.secure:
            await secure_members.invite(desk, view, contact)
        else:
            await desk.client.invite_to_group(view.chat, [contact.account])
    except RemoteProblem as error:
        if (why := _WHY.get(error.details.code)) is not None:
            raise Mistake(f"Not invited: {why.format(desk.names.name(contact.account))}") from None
        raise
    desk.note(f"{desk.names.full(contact)} is invited, and will be here once they accept.")


@slash("invitations", "", "the groups that you are invited into")
async def _invitations(desk: Desk, argument: str) -> None:
    invitations = list(desk.state.groups.invitations.values())
    desk.listed = [one.chat for one in invitations]
    if not invitations:
        desk.note("No invitation waits for you.")
    for number, one in enumerate(invitations, 1):
        desk.note(f"{number:3}  {about(desk, one)}", about=one.chat)
    if invitations:
        desk.note("/accept NAME joins one, /decline NAME drops it; a number of this list will do.")


@slash("members", "", "who is in the open group")
async def _list(desk: Desk, argument: str) -> None:
    view = here(desk)
    await everybody(desk, view)
    order = {"owner": 0, "admin": 1, "member": 2}
    shown = sorted(
        present(desk, view, *HERE), key=lambda one: (one.state != "member", order[one.role], one.address)
    )
    desk.listed = [one.account for one in shown]
    if view.secure:
        _secure_list(desk, view)
        return
    for number, one in enumerate(shown, 1):
        what = "invited" if one.state == "invited" else "" if one.role == "member" else one.role
        name, login = desk.names.name(one.account), desk.names.short(one.address)
        called = name if login in (name, name.partition(" (")[0]) else f"{name}  {login}"
        desk.note(f"{number:3}  {called}  {what}".rstrip())


def _secure_list(desk: Desk, view: ChatView) -> None:
    shown = secure_members.lines(desk, view)
    desk.listed = [account for account, _ in shown]
    for number, (account, standing) in enumerate(shown, 1):
        desk.note(f"{number:3}  {desk.names.name(account)}  {standing}".rstrip(), hang=5)


@slash("kick", "NAME", "remove somebody from the open group, or take an invitation back", _members)
async def _kick(desk: Desk, argument: str) -> None:
    view = _ruled(desk)
    if view.role == "member":
        raise Mistake(NOT_ALLOWED)
    if view.secure:
        unlocked(desk)
    await everybody(desk, view)
    member = _member(desk, view, argument)
    while (now := await _parted_with(desk, view, member)).state != member.state:
        became = "has joined" if now.state == "member" else "has left, and is invited again"
        desk.note(f"{desk.names.name(now.account)} {became} since you were asked.")
        member = now
    if view.secure:
        await secure_members.remove(desk, view, member.account)
    else:
        await desk.client.remove_from_group(view.chat, member.account)
    desk.note(f"{desk.names.name(member.account)} is not in this group any more.")


async def _parted_with(desk: Desk, view: ChatView, member: GroupMember) -> GroupMember:
    """Ask whether a member is to go, or an invitation; what it is after the answer."""
    called = desk.names.name(member.account)
    if member.state == "member" and view.role == "admin" and member.role != "member":
        raise Mistake(NOT_ALLOWED)
    what = f"Take back the invitation of {called}?" if member.state == "invited" else f"Remove {called}?"
    again = (
        "Only an invitation lets them in again."
        if view.secure
        else "No link lets them in again, only an invitation."
    )
    if not await sure(desk, f"{what} {again}"):
        raise Mistake("Nothing was changed.")
    await everybody(desk, view)
    now = desk.state.groups.known(view.chat, member.account)
    if now is None or now.state not in HERE:
        raise Mistake(f"{called} is not in this group any more, and was not removed by you.")
    return now


@slash("role", "NAME ROLE", "make somebody of the open group an admin, a member, or the owner", _members)
async def _role(desk: Desk, argument: str) -> None:
    view = _ruled(desk)
    name, _, role = argument.rpartition(" ")
    if role not in _ROLES or not name:
        raise Mistake("/role NAME admin, or member; or owner, which hands the group over.")
    if view.role in ("member", "admin"):
        raise Mistake(NOT_ALLOWED)
    await everybody(desk, view)
    member = _member(desk, view, name)
    called = desk.names.name(member.account)
    if role == "owner" and not await sure(desk, f"Hand this group over to {called}?"):
        return
    await desk.client.set_role(view.chat, member.account, _ROLES[role])


@slash("leave", "", "leave the open group")
async def _leave(desk: Desk, argument: str) -> None:
    view = here(desk)
    title = desk.names.title(view)
    last = view.group is not None and view.group.members == 1
    more = " You are the last one: it is erased." if last else ""
    if count := len(view.waiting):
        more += f" {count} message{' that waits is' if count == 1 else 's that wait are'} not sent then."
    if await sure(desk, f"Leave {title}?{more}"):
        await (secure_members.leave(desk, view) if view.secure else desk.client.leave_group(view.chat))
