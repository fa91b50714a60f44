"""How two accounts stand to each other: the states of both sides, and what each action does to them.

A side sees only its own state. A removal and a block look the same to the other side, and so do a
declined request and one that is not answered yet.
"""

from enum import Enum

from safeum_home.errors import Code, Problem
from safeum_home.protocol.types import ContactState

NONE = ContactState.NONE
REQUESTED = ContactState.REQUESTED
INCOMING = ContactState.INCOMING
ACCEPTED = ContactState.ACCEPTED
REMOVED = ContactState.REMOVED
BLOCKED = ContactState.BLOCKED
CLOSED = ContactState.CLOSED

STATES = (NONE, REQUESTED, INCOMING, ACCEPTED, REMOVED, BLOCKED, CLOSED)
"""The order in which rows number them."""


class Action(Enum):
    REQUEST = "request"
    ACCEPT = "accept"
    DECLINE = "decline"
    REMOVE = "remove"
    BLOCK = "block"
    UNBLOCK = "unblock"


# (action, mine) -> (mine afterwards, {theirs: theirs afterwards}); what is not named stays.
_PARTED = {ACCEPTED: REMOVED, INCOMING: NONE}
_TRANSITIONS: dict[tuple[Action, ContactState], tuple[ContactState, dict[ContactState, ContactState]]] = {
    (Action.REQUEST, NONE): (REQUESTED, {NONE: INCOMING, REMOVED: INCOMING}),
    (Action.REQUEST, REMOVED): (REQUESTED, {NONE: INCOMING, REMOVED: INCOMING}),
    (Action.REQUEST, REQUESTED): (REQUESTED, {}),
    (Action.REQUEST, INCOMING): (ACCEPTED, {REQUESTED: ACCEPTED}),
    (Action.REQUEST, ACCEPTED): (ACCEPTED, {}),
    (Action.ACCEPT, INCOMING): (ACCEPTED, {REQUESTED: ACCEPTED}),
    (Action.ACCEPT, ACCEPTED): (ACCEPTED, {}),
    (Action.DECLINE, INCOMING): (NONE, {}),
    (Action.REMOVE, REQUESTED): (NONE, _PARTED),
    (Action.REMOVE, INCOMING): (NONE, {}),
    (Action.REMOVE, ACCEPTED): (NONE, _PARTED),
    (Action.REMOVE, REMOVED): (NONE, {}),
    (Action.REMOVE, CLOSED): (NONE, {}),
    (Action.BLOCK, NONE): (BLOCKED, {}),
    (Action.BLOCK, REQUESTED): (BLOCKED, _PARTED),
    (Action.BLOCK, INCOMING): (BLOCKED, {}),
    (Action.BLOCK, ACCEPTED): (BLOCKED, _PARTED),
    (Action.BLOCK, REMOVED): (BLOCKED, {}),
    (Action.BLOCK, BLOCKED): (BLOCKED, {}),
    (Action.UNBLOCK, BLOCKED): (NONE, {}),
}


def after(action: Action, mine: ContactState, theirs: ContactState) -> tuple[ContactState, ContactState]:
    """Both states after the owner of `mine` did `action`; raises `wrong_contact_state`."""
    if action is Action.REQUEST and mine in (NONE, REMOVED) and theirs is REQUESTED:
        # Both asked, one of them out of the other's sight (declined, or blocked at the time).
        return ACCEPTED, ACCEPTED
    transition = _TRANSITIONS.get((action, mine))
    if transition is None:
        raise Problem(Code.WRONG_CONTACT_STATE, f"{action.value} does not go with {mine.value}")
    become, others = transition
    return become, others.get(theirs, theirs)
