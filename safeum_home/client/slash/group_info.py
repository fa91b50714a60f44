"""The commands of the terminal client that are about what a group says of itself, and its link."""

from safeum_home.client.desk.desk import Desk
from safeum_home.client.errors import RemoteProblem
from safeum_home.client.slash.group_lookup import fitting, here, sure
from safeum_home.client.slash.secure_acts import NO_LINK, NO_NAME
from safeum_home.client.slash.slash import Mistake, slash
from safeum_home.client.state.chat_view import ChatView
from safeum_home.client.words.group_words import count
from safeum_home.client.words.names import GROUP_MARK, label
from safeum_home.client.words.text import safe
from safeum_home.errors import Code

MAX_ABOUT = 512


def _plain(desk: Desk, why: str) -> ChatView:
    """The group that is open; raises `Mistake`, which says `why`, in a secure chat."""
    view = here(desk)
    if view.secure:
        raise Mistake(why)
    return view


@slash("rename", "NAME", "give the open group another name")
async def _rename(desk: Desk, argument: str) -> None:
    view = _plain(desk, NO_NAME)
    if not argument:
        raise Mistake("/rename NAME")
    await desk.client.set_group(view.chat, name=fitting(argument))


@slash("describe", "[TEXT]", "say what the open group is about; without a text, nothing")
async def _describe(desk: Desk, argument: str) -> None:
    view = _plain(desk, NO_NAME)
    if len(argument) > MAX_ABOUT:
        raise Mistake(f"That has {len(argument)} characters, and {MAX_ABOUT} is the most.")
    await desk.client.set_group(view.chat, about=argument)


@slash("earlier", "on|off", "whether who joins sees what was written before", lambda _: ["off", "on"])
async def _earlier(desk: Desk, argument: str) -> None:
    view = here(desk)
    if argument not in ("on", "off"):
        raise Mistake("Which? /earlier on, or /earlier off")
    await desk.client.set_group(view.chat, earlier=argument == "on")


@slash("link", "[new|off]", "the link by which anybody joins the open group", lambda desk: ["new", "off"])
async def _link(desk: Desk, argument: str) -> None:
    view = _plain(desk, NO_LINK)
    if argument == "off":
        await desk.client.revoke_group_link(view.chat)
        desk.note("The link is good for nothing now.")
        return
    if argument not in ("", "new"):
        raise Mistake("/link shows the link, /link new makes another one, /link off ends it.")
    linked = await (desk.client.reset_group_link if argument else desk.client.group_link)(view.chat)
    desk.note("There is no link: /link new makes one." if linked.link is None else safe(linked.link))


@slash("join", "LINK", "join a group by its link")
async def _join(desk: Desk, argument: str) -> None:
    if not argument:
        raise Mistake("/join LINK")
    try:
        group = await desk.client.preview_group(argument)
        if group.member:
            desk.open(group.chat)
            return
        desk.note(f"{GROUP_MARK} {label(group.name)}, {count(group.members)}", hang=2)
        if group.about:
            desk.note(f"  About: {safe(group.about, newlines=True)}", hang=4)
        if not await sure(desk, "Join it?"):
            raise Mistake("You have not joined.")
        joined = await desk.client.join_group(argument)
    except RemoteProblem as error:
        if error.of(Code.NOT_FOUND):
            raise Mistake("This link is of no group, or is not good any more.") from None
        if error.of(Code.NOT_PERMITTED):
            raise Mistake("You were removed from this group: it takes an invitation to come back.") from None
        raise
    desk.open(joined.chat)
