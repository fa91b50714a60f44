"""Voicemail in words, safe to show: who has called, how long he spoke, and which calls are taken."""

from datetime import UTC, datetime

from safeum_home.client.words.telephone_numbers import shown
from safeum_home.protocol.commands.voicemail import VoicemailState
from safeum_home.protocol.voicemail_types import Voicemail

_REASONS = {
    "no_answer": "nobody answers",
    "busy": "you are in a call",
    "declined": "you decline",
    "offline": "no device of yours is there",
}


def length(body: Voicemail) -> str:
    """`0:23`."""
    minutes, seconds = divmod((body.sound.duration or 0) // 1000, 60)
    return f"{minutes}:{seconds:02}"


def voicemail_text(body: Voicemail, now: float = 0) -> str:
    """A message of the voicemail chat as a line; `now` is in milliseconds."""
    if now >= body.until:
        return f"Voicemail of {shown(body.caller)}: it is not kept any more"
    return f"Voicemail of {shown(body.caller)}, {length(body)}: /voicemail plays and saves it"


def file_name(body: Voicemail) -> str:
    """`voicemail-2026-11-29-1402-+4930123456.ogg`, in UTC."""
    at = datetime.fromtimestamp(body.at / 1000, UTC)
    return f"voicemail-{at:%Y-%m-%d-%H%M}-{body.caller or 'withheld'}.ogg"


def rule_words(told: VoicemailState) -> str:
    """Which calls it takes."""
    rule = told.rule
    greeting = "your greeting" if told.greeting else "your node's greeting"
    reasons = [text for name, text in _REASONS.items() if getattr(rule, name)]
    if not rule.enabled:
        words = "Your voicemail is off: /voicemail on."
    elif rule.always:
        words = f"Your voicemail takes each call at once, with {greeting}: /voicemail always off ends that."
    else:
        when = f" where {', or '.join(reasons)}, with {greeting}" if reasons else " never"
        words = f"Your voicemail takes a call{when}."
    return words if told.available else f"{words} Nothing answers calls on your node now."
