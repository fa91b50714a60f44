"""How calls with the telephone network go: whatever happens, in whatever state."""

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from safeum_home.client.calling.call_state import CallState, Core
from safeum_home.client.errors import RemoteProblem
from safeum_home.client.telephony.ending import TelephoneEnd
from safeum_home.client.telephony.machine import new_telephone_call
from safeum_home.errors import Code
from tests.sdk_telephone import ENDED


class MachineTests(SynchronousTestCase):
    def test_every_input_in_every_state(self) -> None:
        """None is left without a meaning; what was over stays over."""
        inputs = ("offered", "rings", "take", "taken", "connected", "over")
        some = ("rings", "connected", "offered", "taken", "connected taken", "over")
        ways: list[list[str]] = [[], *(each.split() for each in some)]
        for way in ways:
            for last in inputs:
                steps = _Steps()
                core = Core(steps)
                machine = new_telephone_call(core)
                for each in (*way, last):
                    try:
                        _give(machine, each)
                    except RemoteProblem as error:
                        self.assertEqual(each, "take")
                        expected = Code.CALL_OVER if way == ["over"] else Code.WRONG_CALL_STATE
                        self.assertTrue(error.of(expected))
                if way == ["over"] or last == "over":
                    self.assertIs(core.state, ENDED)
                    self.assertEqual(steps.ends, 1)


class _Steps:
    def __init__(self) -> None:
        self.ends = 0

    def begin(self) -> None: ...
    def changed(self, state: CallState) -> None: ...
    def finish(self, why: TelephoneEnd, *, told: bool) -> None:
        self.ends += 1


def _give(machine: Any, name: str) -> None:
    arguments = (TelephoneEnd.LOST, True) if name == "over" else ()
    getattr(machine, name)(*arguments)
