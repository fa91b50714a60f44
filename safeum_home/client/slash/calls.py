"""The commands of the terminal client for calls."""

from safeum_home.client.calling.conference import Conference
from safeum_home.client.desk.desk import Desk
from safeum_home.client.desk.phone import INSTEAD
from safeum_home.client.desk.standing import STANDING
from safeum_home.client.desk.telephone_desk import OPEN
from safeum_home.client.errors import RemoteProblem
from safeum_home.client.slash import ringing
from safeum_home.client.slash.chat_lookup import meant
from safeum_home.client.slash.slash import Mistake, connected, find, opened, people, slash
from safeum_home.client.telephony.incoming import IncomingTelephoneCall
from safeum_home.client.words.call_words import LOCKED, is_locked
from safeum_home.client.words.names import bare
from safeum_home.client.words.telephone_numbers import shown
from safeum_home.client.words.text import length, stamp
from safeum_home.errors import Code
from safeum_home.protocol.call_types import Media
from safeum_home.protocol.types import ContactState


def groups(desk: Desk) -> list[str]:
    """Completes groups."""
    views = [view for view in desk.state.chats if view.kind == "group"]
    titles = {view.chat: desk.names.title(view) for view in views}
    return [titles[view.chat] if view.secure else bare(titles[view.chat]) for view in views]


SEEN = "You are seen, where the other side shows pictures."
NO_CALL = "You are in no call."
NO_RELAY = "Your node has no relay, and nothing else is to be used: start safeum without --call-relay-only."
NOTHING_TO_SHOW = "There is nothing to show: start safeum with --call-video camera or --call-video FILE."


@slash("call", "[NAME]", "call somebody", people(ContactState.ACCEPTED))
async def _call(desk: Desk, argument: str) -> None:
    await _start(desk, argument, video=False)


@slash("video", "[NAME]", "call somebody, with pictures", people(ContactState.ACCEPTED))
async def _video(desk: Desk, argument: str) -> None:
    await _start(desk, argument, video=True)


async def _start(desk: Desk, argument: str, video: bool) -> None:
    contact = find(desk, argument)
    if contact.state is not ContactState.ACCEPTED:
        raise Mistake(f"{desk.names.name(contact.account)}: {STANDING[contact.state]}.")
    connected(desk, "nobody was called")
    free(desk)
    await able(desk)
    await proven(desk)
    if video and not desk.calls.phone.shows:
        raise Mistake(NOTHING_TO_SHOW)
    try:
        call = await desk.client.start_call(contact.account, video)
    except RemoteProblem as error:
        if error.of(Code.LIMIT_REACHED):
            raise Mistake("You are in too many calls already, on other devices.") from None
        raise
    desk.calls.begun(call)


def free(desk: Desk) -> None:
    """Raises `Mistake` where somebody would be spoken to without knowing of the other."""
    if desk.calls.current is not None or desk.calls.telephone.current is not None:
        raise Mistake("You are in a call: /hangup ends it.")
    if desk.calls.conferences.current is not None:
        raise Mistake("You are in a conference: /hangup leaves it.")


@slash("conference", "[GROUP]", "speak with a group, or join who does", groups)
async def _conference(desk: Desk, argument: str) -> None:
    view = desk.state.chat(meant(desk, argument)) if argument else opened(desk)
    if view is None or view.kind != "group":
        raise Mistake("A conference is of a group: /conference GROUP. /call calls somebody.")
    connected(desk, "nobody was called")
    free(desk)
    await able(desk)
    await proven(desk)
    await desk.client.conference(view.chat)


async def able(desk: Desk) -> None:
    """Raises `Mistake` where nobody would hear anything."""
    phone = desk.calls.phone
    if phone.source is None:
        raise Mistake(f"{phone.why}.")
    if (lacks := await phone.lacks()) is not None:
        raise Mistake(f"{lacks}: {INSTEAD}.")
    if phone.relay_only and not (await desk.client.relay()).urls:
        raise Mistake(NO_RELAY)


async def proven(desk: Desk) -> None:
    """Raises `Mistake` where the other side would take it for an attack that this is said to be us."""
    if await is_locked(desk):
        raise Mistake(LOCKED)


def _joins(desk: Desk) -> str:
    """How to join the conferences that ring."""
    desks = desk.calls.conferences
    return "".join(f" /conference {desks.group(each.chat)} joins who speaks there." for each in desks.waiting)


@slash("answer", "[NAME]", "take the call that rings", lambda desk: desk.calls.callers)
async def _answer(desk: Desk, argument: str) -> None:
    call = ringing.call(desk, argument)
    if call is None:
        others = ", ".join(desk.calls.callers)
        raise Mistake(f"It is {others} who calls." if others else f"Nobody is calling you.{_joins(desk)}")
    free(desk)
    await able(desk)
    if isinstance(call, IncomingTelephoneCall):
        call.answer()
    else:
        await proven(desk)
        call.answer(video=desk.calls.phone.shows)


@slash("hangup", "", "end the call, or leave the conference")
async def _hangup(desk: Desk, argument: str) -> None:
    found = desk.calls.spoken_in or ringing.call(desk, "")
    if found is None:
        raise Mistake(NO_CALL)
    if isinstance(found, Conference):
        found.leave()
    else:
        found.hang_up()


@slash("mic", "off|on", "not be heard in the call, or be heard again", lambda _: ["off", "on"])
async def _mic(desk: Desk, argument: str) -> None:
    call = desk.calls.spoken_in
    if call is None:
        raise Mistake(NO_CALL)
    if argument.casefold() not in ("", "off", "on"):
        raise Mistake("/mic off or /mic on; /mic alone is the other one.")
    call.mute(argument.casefold() == "off" if argument else not call.muted)
    desk.note("You are not heard: /mic on ends that." if call.muted else "You are heard.")


@slash("camera", "off|on", "not be seen in the call, or be seen again", lambda _: ["off", "on"])
async def _camera(desk: Desk, argument: str) -> None:
    call = desk.calls.current
    if call is None or call.media is not Media.VIDEO:
        raise Mistake("You are in no call with pictures.")
    if not desk.calls.phone.shows:
        raise Mistake(NOTHING_TO_SHOW)
    if argument.casefold() not in ("", "off", "on"):
        raise Mistake("/camera off or /camera on; /camera alone is the other one.")
    call.show(argument.casefold() == "on" if argument else not call.shows)
    desk.note(SEEN if call.shows else "You are not seen: /camera on ends that.")


async def _open_calls(desk: Desk) -> None:
    """Those with the telephone network that go on, on whichever device."""
    telephone = desk.client.telephone
    for each in [] if telephone is None else (await telephone.open_calls()).calls:
        where = "" if each.here else ", on another device"
        lasts = "rings" if each.since is None else length((desk.now() - each.since) / 1000)
        desk.note(f"Now: {shown(each.number or None)}, {lasts}{where} ({OPEN})")


@slash("calls", "[forget]", "when you have spoken in calls, as your node keeps it", lambda _: ["forget"])
async def _calls(desk: Desk, argument: str) -> None:
    if argument == "forget":
        await desk.client.forget_calls()
        desk.note("Your node keeps nothing of your calls any more.")
        return
    if argument:
        raise Mistake("/calls, or /calls forget.")
    await _open_calls(desk)
    found = await desk.client.call_log()
    for each in reversed(found.calls):
        desk.note(f"{stamp(each.at, desk.now())}  {length(each.seconds)}")
    if not found.calls:
        desk.note("Your node keeps nothing of calls.")
        return
    if found.more:
        desk.note("There are older ones.")
    desk.note("Your node keeps when, and for how long; not with whom. /calls forget erases it.")
