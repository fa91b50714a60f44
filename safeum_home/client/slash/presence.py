"""The command of the terminal client for being seen, or not."""

from safeum_home.client.desk.desk import Desk
from safeum_home.client.slash.slash import Mistake, slash
from safeum_home.protocol.commands import PrivacyResult

_WORDS = {"": None, "hide": True, "show": False}


def _choices(_: Desk) -> list[str]:
    return ["hide", "hide typing", "show", "show typing"]


@slash(
    "presence",
    "hide|show",
    "let contacts see that you are online, or not",
    _choices,
)
async def _presence(desk: Desk, argument: str) -> None:
    word, _, what = argument.casefold().partition(" ")
    what = what.strip()
    if word not in _WORDS or what not in ("", "typing") or (what and not word):
        raise Mistake("/presence hide or /presence show; the same with typing behind it for that alone.")
    hide = _WORDS[word]
    if hide is None:
        result = await desk.client.privacy()
    elif what:
        result = await desk.client.hide(typing=hide)
    else:
        result = await desk.client.hide(presence=hide)
    desk.note(_told(result))


def _told(now: PrivacyResult) -> str:
    online = (
        "Nobody sees whether you are online or when you were here last, and you do not see it of others."
        if now.hide_presence
        else "Your contacts see whether you are online and when you were here last."
    )
    typing = (
        "Nobody sees that you type, and you do not see it of others."
        if now.hide_typing
        else "They see when you type to them."
    )
    return f"{online} {typing}"
