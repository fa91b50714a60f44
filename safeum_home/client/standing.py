"""How things stand with somebody, in words."""

from safeum_home.protocol.types import ContactState

STANDING = {
    None: "not a contact: /add asks them",
    ContactState.NONE: "not a contact: /add asks them",
    ContactState.REQUESTED: "asked, no answer yet",
    ContactState.INCOMING: "asks to be your contact: /accept or /decline",
    ContactState.REMOVED: "not your contact any more: /add asks again",
    ContactState.BLOCKED: "blocked: /unblock lifts it",
    ContactState.CLOSED: "has closed the account: /remove takes the entry away",
}
"""How things stand with those that are no contacts."""
