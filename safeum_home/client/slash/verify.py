"""The command of the terminal client that tells whose keys are known, and has them compared."""

from collections.abc import Awaitable, Callable

from segno import QRCode

from safeum_home.client.desk.desk import Desk
from safeum_home.client.desk.notices import Notice
from safeum_home.client.secure import fingerprints
from safeum_home.client.secure.people import Trust
from safeum_home.client.secure.refused import Refused
from safeum_home.client.slash.group_lookup import sure
from safeum_home.client.slash.secure_lookup import others, pair_with, unlocked
from safeum_home.client.slash.slash import Mistake, find, people, slash
from safeum_home.client.unlocked.conversation import Conversation
from safeum_home.client.words.secure_words import not_said, trust_words
from safeum_home.client.words.text import stamp
from safeum_home.client.words.typed_numbers import chosen

DIGITS = 4
"""Groups of digits in a line."""
MARGIN = 2
_DOTS = {(False, False): " ", (True, False): "▀", (False, True): "▄", (True, True): "█"}
USAGE = "/verify NAME, and emoji, same, different, cancel, yes, picture, scan TEXT, accept or doubt"


def _known(desk: Desk) -> list[str]:
    chosen = people()(desk)
    return [*chosen, *(f"{name} {word}" for name in chosen for word in WAYS)]


@slash("verify", "[NAME]", "know that nobody is in between: a number, a picture, or emoji", _known)
async def _verify(desk: Desk, argument: str) -> None:
    unlocked(desk)
    name, way, more = _parted(argument)
    if not argument and (desk.chat is None or not desk.chat.secure):
        _all(desk)
        return
    account = _account(desk, name)
    try:
        await (_show(desk, account) if way is None else WAYS[way](desk, account, more))
    except Refused as refused:
        raise Mistake(f"{desk.names.name(account)}: {not_said(refused.reason)}") from None


def _parted(argument: str) -> tuple[str, str | None, str]:
    """Who is meant, what is to be done, and what is said with it."""
    words = argument.split()
    for place, word in enumerate(words):
        last = place == len(words) - 1
        if word == "scan" or (word in WAYS and last):
            return " ".join(words[:place]), word, " ".join(words[place + 1 :])
    return argument, None, ""


def _account(desk: Desk, name: str) -> str:
    """Whose keys are meant: the other one's of the open chat, or of whom is named."""
    view = desk.chat
    if view is not None and view.secure:
        here = others(desk, view)
        if not name and len(here) == 1:
            return here[0]
        if not name:
            raise Mistake(f"Whose? {USAGE}. /members lists who is here.")
        wanted = name.removeprefix("@").casefold()
        if (numbered := chosen(wanted, desk.listed)) in here:
            return numbered
        for account in here:
            if wanted in (desk.names.name(account).casefold(), desk.secure.login(account).casefold()):
                return account
    return find(desk, name).account


def _all(desk: Desk) -> None:
    """Of everybody whose keys were seen."""
    secure = unlocked(desk)
    known = [(account, person) for account, person in secure.people if account != desk.state.account]
    desk.listed = [account for account, _ in known]
    if not known:
        desk.note("Nobody's keys were seen yet: they are with the first secure chat.")
    for number, (account, person) in enumerate(known, 1):
        since = stamp(person.judged, desk.now()) if person.trust is Trust.VERIFIED else ""
        desk.note(f"{number:3}  {desk.names.name(account)}  {trust_words(person)}  {since}".rstrip())
    own = fingerprints.fingerprint(secure.own.hash)
    desk.note(f"Your own security key: {own}")


async def _show(desk: Desk, account: str) -> None:
    """The number, and the picture."""
    secure = unlocked(desk)
    name, login = desk.names.name(account), desk.secure.login(account)
    desk.secure.comparing.numbers[account] = number = secure.safety_number(account)
    groups = number.split()
    person = secure.people.get(account)
    lines = [
        f"You and {name}: {trust_words(person)}.",
        "",
        "This number is the same for both of you, unless somebody is in between. Compare it face to face, or"
        " by voice, and not in writing:",
        "",
        *(f"    {' '.join(groups[at : at + DIGITS])}" for at in range(0, len(groups), DIGITS)),
        "",
        f"/verify {login} yes         it is the same: from now on any other key is told",
        f"/verify {login} emoji       compare seven emoji instead, while you are both here",
        f"/verify {login} picture     yours, for the other one to scan",
        f"/verify {login} scan TEXT   what the picture on the other's screen says",
    ]
    if person is not None and person.offered is not None:
        offered = fingerprints.fingerprint(person.offered.hash)
        lines[1:1] = [
            f"Another security key is offered: {offered}",
            f"Before: {fingerprints.fingerprint(person.keys.hash)}",
            f"/verify {login} accept takes the other one.",
        ]
    desk.read([Notice(desk.now(), None, line, "help") for line in lines], f"Verify {name}")


async def _picture(desk: Desk, account: str, more: str) -> None:
    """Alone, so that all of it fits on a screen."""
    rows = drawn(unlocked(desk).picture(account))
    room = f"a window of {len(rows[0])} by {len(rows) + 3} shows all of it"
    title = f"For {desk.names.name(account)} to scan: {room}"
    desk.read([Notice(desk.now(), None, line, "picture") for line in rows], title)


def drawn(picture: QRCode) -> list[str]:
    """A QR code in lines, each of two rows of it, with the margin that scanners want."""
    rows = [[bool(dot) for dot in row] for row in picture.matrix_iter(border=MARGIN)]
    if len(rows) % 2:
        rows.append([False] * len(rows[0]))
    pairs = zip(rows[::2], rows[1::2], strict=True)
    return ["".join(_DOTS[dots] for dots in zip(*pair, strict=True)) for pair in pairs]


async def _yes(desk: Desk, account: str, more: str) -> None:
    name, numbers = desk.names.name(account), desk.secure.comparing.numbers
    number = numbers.get(account, unlocked(desk).safety_number(account))
    if not await sure(desk, f"Have you compared the whole number with {name}, and not in writing?"):
        raise Mistake("Nothing was changed.")
    if number != unlocked(desk).safety_number(account):
        raise Mistake("Meanwhile it is another number. Nothing was changed: /verify shows it.")
    unlocked(desk).verify(account, number)
    desk.note(f"{name} is verified. It stays so until a security key changes.")


async def _scan(desk: Desk, account: str, more: str) -> None:
    name = desk.names.name(account)
    try:
        same = unlocked(desk).scanned(account, more)
    except Refused:
        raise Mistake(f"That is no picture of {name} for you. It begins with safeum:verify:1:") from None
    if same:
        desk.note(f"{name} is verified: the picture has the keys that are known here.")
    else:
        view = pair_with(desk, account)
        desk.secure.alarms.sound(None if view is None else view.chat, DIFFERENT.format(name=name))


DIFFERENT = (
    "{name} has other keys than are known here, or sees other ones of you: somebody may be in between."
    " Nothing is verified; say nothing that others must not read before you have met."
)


async def _emoji(desk: Desk, account: str, more: str) -> None:
    comparing = desk.secure.comparing
    if account in comparing.asked:
        _chat_of(desk, account).comparisons.agree(account)
        desk.note(f"You compare with {desk.names.name(account)}: what both should see comes in a moment.")
        return
    conversation = _chat_of(desk, account)
    conversation.comparisons.begin(account)
    comparing.begun(account, conversation.id)
    login = desk.secure.login(account)
    desk.note(f"{desk.names.name(account)} is asked to compare. /verify {login} cancel gives up.")


def _judging(same: bool) -> Callable[[Desk, str, str], Awaitable[None]]:
    async def judge(desk: Desk, account: str, more: str) -> None:
        if account not in desk.secure.comparing.shown:
            raise Mistake(f"Nothing is compared now: /verify {desk.secure.login(account)} emoji begins.")
        _chat_of(desk, account).comparisons.judge(account, same)
        if same and account in desk.secure.comparing.shown:
            desk.note(f"Waiting for {desk.names.name(account)} to say the same.")

    return judge


async def _cancel(desk: Desk, account: str, more: str) -> None:
    if account not in desk.secure.comparing.where:
        raise Mistake("Nothing is compared now.")
    _chat_of(desk, account).comparisons.stop(account)


async def _accept(desk: Desk, account: str, more: str) -> None:
    secure, name = unlocked(desk), desk.names.name(account)
    person = secure.people.get(account)
    if person is None or person.offered is None:
        raise Mistake(f"No other security key of {name} waits.")
    desk.note(f"Before: {fingerprints.fingerprint(person.keys.hash)}")
    desk.note(f"Now:    {fingerprints.fingerprint(person.offered.hash)}")
    hash = person.offered.hash
    if not await sure(desk, f"Did {name} say, and not in writing, that the key is another one?"):
        raise Mistake("Nothing was changed: the other key is not used.")
    if person.offered is None or person.offered.hash != hash:
        raise Mistake("Meanwhile yet another key has come. Nothing was changed.")
    secure.accept_keys(account, hash)
    desk.note(f"The other key of {name} is used from now on. Compare: /verify {desk.secure.login(account)}")


async def _doubt(desk: Desk, account: str, more: str) -> None:
    secure = unlocked(desk)
    secure.people.doubt(account, desk.now())
    secure.changed()
    desk.note(f"{desk.names.name(account)} is not verified any more.")


def _chat_of(desk: Desk, account: str) -> Conversation:
    """In which the two compare: where it was begun, else the open one, else theirs."""
    secure = unlocked(desk)
    where = [desk.secure.comparing.where.get(account), desk.current]
    if (view := pair_with(desk, account)) is not None:
        where.append(view.chat)
    for chat in where:
        conversation = secure.chats.get(chat or "")
        if conversation is not None and conversation.concerns(account):
            return conversation
    raise Mistake("You compare within a secure chat: /secure NAME begins one.")


WAYS: dict[str, Callable[[Desk, str, str], Awaitable[None]]] = {
    "emoji": _emoji,
    "same": _judging(True),
    "different": _judging(False),
    "cancel": _cancel,
    "yes": _yes,
    "picture": _picture,
    "scan": _scan,
    "accept": _accept,
    "doubt": _doubt,
}
