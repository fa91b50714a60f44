"""What the command line says to operators: of states, and of refusals."""

from safeum_home.admin.wire import Progress, Status
from safeum_home.errors import Code, Problem

NEXT_STEPS = {
    "sealed": "feed the root secret: safeum-home unseal",
    "unsealing": "feed the rest of the shares: safeum-home unseal",
    "not_initialised": "there is no keyring in the state directory: put it back, or safeum-home init",
    "opening": "wait a moment",
    "no_certificate": "see that tls.certificate is there, then: safeum-home secret set tls-key",
    "no_database": "see that the database runs and lets the node in; it is tried again every few seconds",
    "disk_full": "make space for the database; the node goes on by itself",
    "read_only": "make the database writable; the node goes on by itself",
    "database_damaged": "stop the node, then: safeum-home restore",
    "database_in_use": "another process writes to the database: end it",
    "storage_unavailable": "the database takes no changes: see the log",
    "keys_lost": "the keyring opens nothing of this database: put back a backup from after its last turn",
    "failed": "see the log",
}
"""What an operator does about each state but `ok`."""

_TITLES = {
    Code.NOT_FOUND: "There is no secret of that name.",
    Code.METHOD_NOT_FOUND: "The node does not know this command: it is of another version.",
    Code.INVALID_PARAMS: "The node does not take this.",
    Code.STORAGE_UNAVAILABLE: "It could not be written.",
    Code.SEALED: "The node is sealed: safeum-home unseal",
    Code.LIMIT_REACHED: "There are as many secrets as the node keeps.",
    Code.TOO_LARGE: "A secret has at most 64 KiB.",
    Code.NOT_INITIALISED: "There is no keyring in the state directory: put it back, or safeum-home init",
}
"""Where what clients are told would not do."""

_DETAIL_SAYS_IT = {
    "not_found",
    "invalid_params",
    "wrong_state",
    "busy",
    "sealed",
    "unsafe_source",
    "limit_reached",
}
_BY_CODE = {code.code: title for code, title in _TITLES.items()}


def refusal(code: str, title: str, detail: str | None) -> str:
    """A refusal in an operator's words."""
    if detail and code in _DETAIL_SAYS_IT:
        # A sentence begins with a capital letter, and a path as it is written.
        first = detail.partition(" ")[0]
        begins = detail if "." in first or "/" in first else f"{detail[:1].upper()}{detail[1:]}"
        return f"{begins}."
    title = _BY_CODE.get(code, title)
    return f"{title} ({detail})" if detail else title


def problem(problem: Problem) -> str:
    """One that was raised here."""
    return refusal(problem.code.code, problem.code.value.title, problem.detail)


def of_shares(progress: Progress) -> str:
    """` (2 of 3 shares)`, where that is known."""
    return f" ({progress.have} of {progress.needed} shares)" if progress.needed else ""


def state(status: Status) -> str:
    """How the node is, and what is to be done about it."""
    step = NEXT_STEPS.get(status.state)
    shares = of_shares(Progress(status.state, status.have, status.needed))
    return f"{status.state}{shares}" + (f" - {step}" if step else "")


def rows(status: Status) -> dict[str, str]:
    """The lines of `safeum-home status`."""
    return {
        "node": f"{status.node} (SafeUM Home {status.version})",
        "state": state(status),
        "up for": _span(status.uptime),
        "keys held in": status.memory,
        "core dumps": "off" if status.core_dumps_off else "POSSIBLE",
        "database": status.database + (f", schema {status.schema}" if status.schema else ""),
        "accounts": "unknown" if status.accounts is None else str(status.accounts),
        "certificate": _certificate(status.certificate_days),
        "node key": status.node_key or "unknown until the node is unsealed",
        "clients at": ", ".join(status.listening) or "nowhere yet",
        "health at": status.health or "no address of its own",
        "connections": str(status.connections),
        "other nodes": status.federation or "none: federation is off, or the node not open",
        "text messages": " | ".join(status.sms) or "no provider",
        "push": " | ".join(status.push) or "no provider",
        "payments": " | ".join(status.payments) or "no provider",
        "carriers": " | ".join(status.carriers) or "no carrier",
        "calls": status.telephone or "none: the node is not open",
        "voicemail": status.voicemail or "none: the node is not open",
    }


def _certificate(days: int | None) -> str:
    if days is None:
        return "none yet"
    return f"ends in {days} days" if days >= 0 else "HAS ENDED"


def _span(seconds: int) -> str:
    hours, minutes = seconds // 3600, seconds // 60 % 60
    return f"{hours // 24} d {hours % 24} h" if hours >= 24 else f"{hours} h {minutes} min"


def advice(threshold: int | None) -> str:
    """What is said once a root secret was shown."""
    if threshold is None:
        what, without = "This is shown once and stored nowhere. Write it down by hand, on paper.", "it"
    else:
        what = (
            "They are shown once and stored nowhere. Write each down by hand, on paper, and give it to\n"
            "another person or place."
        )
        without = f"{threshold} of them"
    return (
        f"{what} Without {without} nobody can open the node's data, you included.\n"
        "Then clear this terminal, and see that what is on paper is right: safeum-home shares check"
    )
