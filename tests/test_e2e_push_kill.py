"""kill -9 while somebody is to be woken, of a real node, and APNs as Apple describes it."""

from tests.test_e2e_push import TOKEN, PushCase


class KillTests(PushCase):
    """A wake that no provider had when the node died is handed over by the next one."""

    def test_kill(self) -> None:
        self.apple.tell(always={"reason": "ServiceUnavailable"})
        self.write()
        refused = self.taken(1)["requests"]
        self.node.kill()
        self.at_ann.close()
        self.apple.tell(always=None)
        self.node.start()
        # Half a minute for who comes back by himself.
        last = self.taken(refused + 1)["last"]
        self.assertEqual((last["status"], last["headers"][":path"]), (200, f"/3/device/{TOKEN}"))
        self.until(lambda: self.wakes("taken") == 1)
        self.read(1).close()
