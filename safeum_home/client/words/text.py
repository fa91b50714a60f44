"""Text for a terminal: what others wrote made harmless, measured, wrapped; times for people."""

from datetime import datetime, tzinfo

from prompt_toolkit.utils import get_cwidth

from safeum_home.client.errors import ClientError, Disconnected, RemoteProblem, SessionEnded, TimedOut
from safeum_home.client.words.widths import certain
from safeum_home.errors import Code, Problem

JOINER = "\u200c"
"""Zero-width, but needed: the non-joiner of Persian and Indic scripts."""

WORDS = {
    Code.NOT_A_CONTACT: "You are not in each other's contacts. /add login@node asks.",
    Code.NOT_FOUND: "There is no such thing, or it is not for you.",
    Code.BAD_CREDENTIALS: "The login or the password is wrong.",
    Code.WRONG_PIN: "The login or the PIN is wrong.",
    Code.WEAK_PIN: "Take another PIN: this one is easy to guess, is your password, or is set already.",
    Code.USERNAME_TAKEN: "Somebody else has this login already.",
    Code.INVALID_USERNAME: (
        "A login has 3 to 32 of a-z, 0-9, dot, dash and underscore, a letter or digit at both ends,"
        " and a letter among them. A mobile number begins with +."
    ),
    Code.INVALID_NUMBER: (
        "That is not a mobile number in international form, such as +49 171 1234567, or not one that exists."
    ),
    Code.WRONG_CODE: "The code is wrong.",
    Code.VERIFICATION_OVER: "This took too long, or there were too many wrong codes.",
    Code.NUMBER_CLAIMED: "The number is asked for. The account that has it can keep it until then.",
    Code.NUMBER_KEPT: "The account that has this number is in use, and keeps it.",
    Code.SMS_UNAVAILABLE: "The node can send no text message to this number at present.",
    Code.RATE_LIMITED: "That was too often.",
    Code.BUSY: "The node is busy.",
    Code.STORAGE_UNAVAILABLE: "The node could not store it.",
    Code.TOO_LARGE: "That is too long for one message.",
    Code.INVALID_PARAMS: "The node does not take this.",
    Code.INTERNAL: "Something went wrong at the node. It was logged there.",
    Code.REGISTRATION_CLOSED: "This node takes no sign-ups.",
    Code.CONSENT_NEEDED: "Without consent to the node's policy there is no account.",
    Code.INVITE_NEEDED: "Who signs up here needs an invite; none was given, or it is no longer good.",
    Code.SUPPORT_CLOSED: "The operator of your node takes no messages at present.",
    Code.FILE_QUOTA: (
        "Your node has no room for this file beside what you have sent before. /quota says how much there is;"
        " a file that you delete makes room, once it is deleted wherever you have sent it."
    ),
    Code.NO_BALANCE: "The balance is not enough for this: /balance.",
    Code.NO_SAFENUM: "You have no number to call from: /number request asks for one.",
    Code.COUNTRY_NEEDED: "Say first in which country you live, for the tax in prices: /country CODE.",
    Code.SPEND_LIMIT: "What may be spent on calls in a day is spent.",
    Code.CARRIER_UNAVAILABLE: "Nothing leads to the telephone network at present.",
    Code.FILE_LOST: "Your node has lost this file, or a part of it.",
    Code.NODE_UNREACHABLE: "That is on another node, which does not answer now.",
    Code.FEDERATION_REFUSED: (
        "That is on another node, and one of the two talks to no others, or not to this one."
    ),
}
_WORDS = {code.code: words for code, words in WORDS.items()}


def safe(text: str, *, newlines: bool = False) -> str:
    """`text` without anything that a terminal would obey, measure differently, or reorder other text by.

    Control, format (bidirectional overrides among them), surrogate, private and unassigned characters
    become U+FFFD; tabs and, unless `newlines`, line breaks become spaces; for the rest see `widths`.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(_safe(char, newlines) for char in certain(text))


def _safe(char: str, newlines: bool) -> str:
    if char.isprintable() or char == JOINER:
        return char
    if char == "\n" and newlines:
        return char
    return " " if char.isspace() else "\N{REPLACEMENT CHARACTER}"


def width(text: str) -> int:
    """Columns that `text` takes."""
    return get_cwidth(text)


def fit(text: str, columns: int) -> str:
    """`text` in exactly `columns`: cut with an ellipsis, or filled with spaces."""
    if width(text) > columns:
        text = _within(text, columns - 1) + ("…" if columns > 0 else "")
    return text + " " * (columns - width(text))


def short(text: str, columns: int) -> str:
    """`text` in at most so many: cut with an ellipsis."""
    return text if width(text) <= columns else fit(text, columns).rstrip()


def _within(text: str, columns: int) -> str:
    """The beginning of `text` that fits. In one pass: a text may be long, and each redraw fits it."""
    used = 0
    for index, char in enumerate(text):
        used += width(char)
        if used > columns:
            return text[:index]
    return text


def wrap(text: str, columns: int) -> list[str]:
    """`text` in lines of at most `columns`, broken at spaces where there are any."""
    columns = max(columns, 2)
    return [line for paragraph in text.split("\n") for line in _wrap(paragraph, columns)]


def _wrap(paragraph: str, columns: int) -> list[str]:
    lines: list[str] = []
    words = iter(paragraph.split(" "))
    line = _broken(next(words), columns, lines)
    for word in words:
        if width(line) + 1 + width(word) <= columns:
            line += " " + word
        else:
            lines.append(line)
            line = _broken(word, columns, lines)
    lines.append(line)
    return lines


def _broken(line: str, columns: int, lines: list[str]) -> str:
    """The end of a word; what comes before it goes to `lines` where it is too long for one."""
    while width(line) > columns:
        head = _head(line, columns)
        lines.append(head)
        line = line[len(head) :]
    return line


def _head(text: str, columns: int) -> str:
    """As much of `text` as fits, at least one character."""
    used = 0
    for index, char in enumerate(text):
        used += width(char)
        if used > columns and index:
            return text[:index]
    return text


_LATEST = 253_370_764_800_000
"""The year 9999: a node may say anything."""


def moment(at: int, zone: tzinfo | None = None) -> datetime:
    """Milliseconds since 1970 as local time (or in `zone`)."""
    return datetime.fromtimestamp(min(at, _LATEST) / 1000, zone).astimezone(zone)


def clock(at: int, zone: tzinfo | None = None) -> str:
    """`14:05`."""
    return moment(at, zone).strftime("%H:%M")


def day(at: int, now: int, zone: tzinfo | None = None) -> str:
    """`Today`, `Yesterday`, `Tuesday, 24 November`, with the year where it is another one."""
    then, today = moment(at, zone), moment(now, zone)
    apart = (today.date() - then.date()).days
    if apart in (0, 1):
        return ("Today", "Yesterday")[apart]
    year = "" if then.year == today.year else f" {then.year}"
    return f"{then:%A}, {then.day} {then:%B}{year}"


def when(at: int, now: int, zone: tzinfo | None = None) -> str:
    """A time to come: `14:05` today, else `30 November 14:05`."""
    then = moment(at, zone)
    today = then.date() == moment(now, zone).date()
    return f"{then:%H:%M}" if today else f"{then.day} {then:%B} {then:%H:%M}"


def stamp(at: int, now: int, zone: tzinfo | None = None) -> str:
    """The time today, else the day: for lists."""
    then, today = moment(at, zone), moment(now, zone)
    if then.date() == today.date():
        return f"{then:%H:%M}"
    return f"{then.day} {then:%b}" if then.year == today.year else f"{then.year}"


def words(error: ClientError | Problem) -> str:
    """An error in words for people: one sentence or two, without advice on when to try again."""
    if isinstance(error, TimedOut):
        return "The node did not answer in time."
    if isinstance(error, Disconnected):
        return f"Not connected: {safe(error.closing.reason)}."
    if isinstance(error, SessionEnded):
        return f"The session is over: {safe(error.reason)}"
    if isinstance(error, Problem):
        code, title = error.code.code, error.code.value.title
    elif isinstance(error, RemoteProblem):
        code, title = error.code, error.title
        if error.of(Code.CONSENT_NEEDED) and error.details.detail:
            version = safe(error.details.detail)
            return f"`safeum policy` shows what is to be agreed to, and --agree {version} agrees."
        if error.of(Code.DESTINATION_REFUSED) and error.details.detail:
            return _refused_destination(error.details.detail)
        if error.of(Code.WEAK_PASSWORD, Code.WEAK_PIN) and error.details.detail:
            return f"{safe(title).removesuffix('.')}: {safe(error.details.detail)}."
    else:
        return safe(str(error))
    return _WORDS.get(code, safe(title))


def _refused_destination(kind: str) -> str:
    known = {
        "emergency": "No emergency service can be called from here: use another telephone.",
        "short": "Short numbers lead nowhere from here: write the whole number, with + and the country.",
        "own": "That is your own number.",
    }
    return known.get(kind, f"Numbers of this kind ({safe(kind)}) are not called from your node.")


def explain(error: ClientError | Problem) -> str:
    """An error in words for people, with when to try again where that is known."""
    retry = error.retry_after if isinstance(error, Problem | RemoteProblem) else None
    return words(error) if retry is None else f"{words(error)} Try again in {duration(retry)}."


def duration(seconds: float) -> str:
    """`8 s`, `5 min`, `3 h`, `7 days`."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    if seconds < 5400:
        return f"{round(seconds / 60)} min"
    return f"{round(seconds / 3600)} h" if seconds < 172800 else f"{round(seconds / 86400)} days"


def length(seconds: float) -> str:
    """`0:08`, `12:30`, `1:05:00`."""
    minutes, rest = divmod(max(0, int(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
