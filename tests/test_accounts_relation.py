"""How two accounts stand to each other, held against a model that knows both sides at once."""

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.accounts import relation
from safeum_home.accounts.relation import STATES, Action
from safeum_home.errors import Code, Problem
from safeum_home.protocol.types import ContactState

NONE, REQUESTED, INCOMING, ACCEPTED, REMOVED, BLOCKED, CLOSED = STATES


class Model:
    """Two people, told in facts: who blocks, who asked (and was seen asking), whether they are contacts."""

    def __init__(self) -> None:
        self.blocks = [False, False]
        self.asked = [False, False]
        self.sees = [False, False]
        """Whether the other one's request lies before him."""
        self.contacts = False
        self.left = [False, False]
        """Whether the other one ended it, and he has not put it away yet."""

    def state(self, who: int) -> ContactState:
        if self.blocks[who]:
            return BLOCKED
        if self.contacts:
            return ACCEPTED
        if self.asked[who]:
            return REQUESTED
        if self.sees[who]:
            return INCOMING
        return REMOVED if self.left[who] else NONE

    def act(self, action: Action, me: int) -> bool:
        """False where the action does not go with what I see."""
        state, you = self.state(me), 1 - me
        match action:
            case Action.REQUEST if state is not BLOCKED:
                self._request(me, you)
            case Action.ACCEPT if state in (INCOMING, ACCEPTED):
                self._agree()
            case Action.DECLINE if state is INCOMING:
                self.sees[me] = False
            case Action.REMOVE if state not in (NONE, BLOCKED):
                self._part(me, you)
            case Action.BLOCK:
                self._part(me, you)
                self.blocks[me] = True
            case Action.UNBLOCK if state is BLOCKED:
                self.blocks[me] = False
            case _:
                return False
        return True

    def _request(self, me: int, you: int) -> None:
        if self.contacts or self.asked[me]:
            return
        if self.asked[you] and not self.blocks[you]:
            self._agree()
            return
        self.asked[me], self.left[me] = True, False
        if not self.blocks[you]:
            self.sees[you], self.left[you] = True, False

    def _agree(self) -> None:
        self.contacts = True
        self.asked, self.sees, self.left = [False, False], [False, False], [False, False]

    def _part(self, me: int, you: int) -> None:
        if self.contacts:
            self.contacts, self.left[you] = False, True
        if self.asked[me]:
            self.sees[you] = False
        self.asked[me] = self.sees[me] = self.left[me] = False


class RelationTests(SynchronousTestCase):
    @given(st.lists(st.tuples(st.integers(0, 1), st.sampled_from(Action)), max_size=30))
    def test_model(self, actions: list[tuple[int, Action]]) -> None:
        """Whatever two people do, each sees what the model says, and is refused what it refuses."""
        model, states = Model(), [NONE, NONE]
        for me, action in actions:
            try:
                mine, yours = relation.after(action, states[me], states[1 - me])
            except Problem as problem:
                self.assertIs(problem.code, Code.WRONG_CONTACT_STATE)
                self.assertFalse(model.act(action, me), (action, states))
            else:
                self.assertTrue(model.act(action, me), (action, states))
                states[me], states[1 - me] = mine, yours
            self.assertEqual(states, [model.state(0), model.state(1)])

    def reachable(self) -> set[tuple[ContactState, ContactState]]:
        """All pairs of states that two people can come to, with those that they come from."""
        found = {(NONE, NONE)}
        waiting = [(NONE, NONE)]
        while waiting:
            mine, theirs = waiting.pop()
            for pair in ((mine, theirs), (theirs, mine)):
                for action in Action:
                    try:
                        after = relation.after(action, *pair)
                    except Problem:
                        continue
                    if after not in found:
                        found |= {after, after[::-1]}
                        waiting.append(after)
        return found

    def test_consent_is_mutual(self) -> None:
        """Either both are in contact or none is, in every state that can be reached."""
        for mine, theirs in self.reachable():
            self.assertEqual(mine is ACCEPTED, theirs is ACCEPTED, (mine, theirs))
            self.assertNotEqual((mine, theirs), (REQUESTED, REQUESTED), "they would wait for each other")

    def test_what_is_not_told(self) -> None:
        """A decline tells nothing, a removal and a block the same; asking a blocker looks like asking."""
        self.assertEqual(relation.after(Action.DECLINE, INCOMING, REQUESTED)[1], REQUESTED)
        for theirs in (ACCEPTED, INCOMING):
            mine = ACCEPTED if theirs is ACCEPTED else REQUESTED
            removed = relation.after(Action.REMOVE, mine, theirs)[1]
            self.assertEqual(relation.after(Action.BLOCK, mine, theirs)[1], removed)
        for mine in (NONE, REMOVED):
            asked = relation.after(Action.REQUEST, mine, NONE)[0]
            self.assertEqual(relation.after(Action.REQUEST, mine, BLOCKED), (asked, BLOCKED))

    def test_a_closed_account(self) -> None:
        """Nobody comes there by what he does, and nothing leads on from there but putting it away."""
        self.assertNotIn(CLOSED, {state for pair in self.reachable() for state in pair})
        self.assertEqual(relation.after(Action.REMOVE, CLOSED, NONE), (NONE, NONE))
        for action in set(Action) - {Action.REMOVE}:
            self.assertRaises(Problem, relation.after, action, CLOSED, NONE)
