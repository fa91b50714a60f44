"""The commands of the terminal client that are about profiles: one's own, and those of contacts."""

from collections.abc import Callable

from msgspec.structs import replace

from safeum_home.client.desk import secure_standing
from safeum_home.client.desk.desk import Desk
from safeum_home.client.errors import RemoteProblem
from safeum_home.client.slash.slash import Mistake, find, people, slash
from safeum_home.client.words.text import safe
from safeum_home.errors import Code
from safeum_home.protocol.types import ContactState, OwnProfile, Profile, ProfileField

MAX_NAME, MAX_STATUS, MAX_ABOUT, MAX_LABEL, MAX_VALUE, MAX_FIELDS = 64, 256, 2048, 32, 256, 8
Change = Callable[[OwnProfile], OwnProfile]


@slash("profile", "[NAME]", "a contact's profile, or your own", people(ContactState.ACCEPTED))
async def _profile(desk: Desk, argument: str) -> None:
    account = find(desk, argument).account if argument else None
    try:
        result = await desk.client.profile(account)
    except RemoteProblem as error:
        if error.of(Code.NOT_FOUND):
            raise Mistake("Profiles are for contacts.") from None
        raise
    profile = result.profile
    status = f": {safe(profile.status)}" if profile.status else ""
    desk.note(f"{safe(profile.display_name) or '(no name)'} <{safe(result.address)}>{status}", hang=2)
    for line in _lines(profile, desk.names.short(result.address)):
        desk.note(line, hang=4)
    if account is not None and (known := secure_standing.trust(desk, account)):
        desk.note(f"  Security key: {known}")
    if account is None:
        desk.note("  /name /status /about /field /safenum /avatar change it.", hang=2)


def _lines(profile: Profile, login: str) -> list[str]:
    """Each begins with what its owner cannot write: nobody's text passes for something that we say."""
    lines = [f"  About: {safe(profile.about, newlines=True)}"] if profile.about else []
    lines += [f"  \N{MIDDLE DOT} {safe(each.label)}: {safe(each.value)}" for each in profile.fields]
    own = profile.show_safenum is not None
    if profile.avatar is not None:
        lines.append(f"  Picture: {'/avatar looks at it' if own else f'/avatar {login} looks at it'}")
    if own:
        shown = "contacts see it" if profile.show_safenum else "contacts do not see it"
        lines.append(f"  SafeNUM: {safe(profile.safenum or 'none')} ({shown})")
    elif profile.safenum is not None:
        lines.append(f"  SafeNUM: {safe(profile.safenum)}")
    return lines


@slash("name", "TEXT", "what your contacts see as your name")
async def _name(desk: Desk, argument: str) -> None:
    _short("A name", argument, MAX_NAME)
    await _change(desk, lambda own: replace(own, display_name=argument))
    desk.note(f"Your name is now {safe(argument) or '(none)'}.")


@slash("status", "TEXT", "a line about you for your contacts")
async def _status(desk: Desk, argument: str) -> None:
    _short("A status", argument, MAX_STATUS)
    await _change(desk, lambda own: replace(own, status=argument))
    desk.note(f"Your status is now {safe(argument) or '(none)'}.")


@slash("about", "TEXT", "more about you, in several lines if you like")
async def _about(desk: Desk, argument: str) -> None:
    _short("This", argument, MAX_ABOUT)
    await _change(desk, lambda own: replace(own, about=argument))
    desk.note("Your contacts see that in your profile." if argument else "That is empty now.")


@slash("field", "LABEL: TEXT", "a line of your profile; without a text it goes")
async def _field(desk: Desk, argument: str) -> None:
    label, colon, value = (each.strip() for each in argument.partition(":"))
    if not label or not colon:
        raise Mistake("Which one? /field Birthday: 10 December")
    _short("A label", label, MAX_LABEL)
    _short("A field", value, MAX_VALUE)

    def change(own: OwnProfile) -> OwnProfile:
        fields = {each.label.casefold(): each for each in own.fields}
        if not value:
            if fields.pop(label.casefold(), None) is None:
                raise Mistake(f"There is no {safe(label)} in your profile.")
        else:
            fields[label.casefold()] = ProfileField(label, value)
        if len(fields) > MAX_FIELDS:
            raise Mistake(f"There are {MAX_FIELDS} fields already: /field LABEL: takes one out.")
        return replace(own, fields=tuple(fields.values()))

    await _change(desk, change)
    desk.note(f"{safe(label)} is now {safe(value) or '(none)'}.")


@slash("safenum", "show|hide", "whether contacts see your SafeNUM", lambda desk: ["show", "hide"])
async def _safenum(desk: Desk, argument: str) -> None:
    if argument not in ("show", "hide"):
        raise Mistake("Which? /safenum show, or /safenum hide")
    show = argument == "show"
    await _change(desk, lambda own: replace(own, show_safenum=show))
    desk.note(f"Your contacts {'see' if show else 'do not see'} your SafeNUM, where you have one.")


def _short(what: str, text: str, most: int) -> None:
    if len(text) > most:
        raise Mistake(f"{what} has at most {most} characters, and this has {len(text)}.")


async def _change(desk: Desk, change: Change) -> None:
    """A profile is only ever replaced whole, here and by other devices: so read it, change it, write it."""
    async with desk.profile:
        shown = (await desk.client.profile()).profile
        fields = tuple(ProfileField(each.label, each.value) for each in shown.fields)
        own = change(
            OwnProfile(shown.display_name, shown.status, shown.about, fields, bool(shown.show_safenum))
        )
        await desk.client.set_profile(own.display_name, own.status, own.about, own.fields, own.show_safenum)
