"""Storage that refuses: the sender is told to try again, nothing acknowledged is lost, the node recovers."""

from collections.abc import Callable
from typing import NamedTuple

from twisted.trial.unittest import SynchronousTestCase

from tests import postgres
from tests.e2e.crowd import Crowd
from tests.e2e.node_process import NodeProcess
from tests.e2e.people import PASSWORD, Person, another_device, connect, history, resume, sign_up
from tests.e2e.small_disk import SmallDisk
from tests.e2e.wire import Ended, RawClient, Refused

PAIRS = 2
CLOSINGS = 4
PIN = "284716"


class Owner(NamedTuple):
    """Somebody who closes his account, and his group."""

    person: Person
    client: RawClient
    group: str


class OutageTests(SynchronousTestCase):
    """People talk while the node's storage goes away, and comes back."""

    def _disk(self) -> SmallDisk:
        disk = SmallDisk(64)
        self.addCleanup(disk.remove)
        return disk

    def _crowd(self, database: str = "sqlite", disk: SmallDisk | None = None) -> Crowd:
        node = NodeProcess(database, state=None if disk is None else disk.path / "state")
        self.addCleanup(node.close)
        node.start()
        crowd = Crowd(node, PAIRS)
        self.reader = another_device(node, crowd.everybody[0].person)
        return crowd

    def _refusals(self, crowd: Crowd, readable: bool = True) -> None:
        """Until everybody is refused; what can be read still is."""
        crowd.until(lambda talker: bool(talker.refused))
        self.assertIn(crowd.node.health(), (200, 503))
        if not readable:
            return
        [talker, *_] = crowd.everybody
        heard = len(talker.heard)
        with resume(crowd.node, self.reader) as client:
            self.assertGreaterEqual(len(history(client, talker.chat)), heard)

    def _outage(
        self, crowd: Crowd, go: Callable[[], None], come: Callable[[], None], readable: bool = True
    ) -> None:
        """The storage goes and comes while people talk; the node is neither told nor started anew."""

        def meanwhile() -> None:
            crowd.wait_for_progress()
            go()
            self._refusals(crowd, readable)
            come()
            crowd.wait_for_progress()
            crowd.finish()

        crowd.talk(meanwhile)
        self._hold(crowd)
        crowd.node.kill()
        crowd.node.start()
        self._hold(crowd)
        log = crowd.node.logged()
        self.assertIn("The database takes changes again", log)

    def _hold(self, crowd: Crowd) -> None:
        """Every message is there, once; those who were refused were refused with the right words."""
        self.assertEqual(crowd.unanswered(), 0)
        # A message that is sent again is behind those that were accepted meanwhile.
        self.assertEqual(crowd.faults(in_order=False), [])
        refusals = [refused for talker in crowd.everybody for refused in talker.refused]
        self.assertEqual({refused.code for refused in refusals}, {"storage_unavailable"})
        self.assertTrue(all(refused.retry_after > 0 for refused in refusals))
        print(f"\n    {crowd.acknowledged()} acknowledged, {len(refusals)} refused for a while", end=" ")

    def test_full_disk(self) -> None:
        """SQLite on a disk that is full, until there is space again."""
        disk = self._disk()
        self._outage(self._crowd(disk=disk), disk.fill, disk.clear)

    def test_read_only_files(self) -> None:
        """SQLite in files that cannot be written, until they can."""
        disk = self._disk()
        crowd = self._crowd(disk=disk)
        # Not the memory that connections share: who maps it would be killed by the kernel.
        files = [crowd.node.state / name for name in ("home.sqlite", "home.sqlite-wal")]
        self.addCleanup(disk.thaw, files)
        self._outage(crowd, lambda: disk.freeze(files), lambda: disk.thaw(files))

    def test_broken_disk(self) -> None:
        """SQLite on a disk that turns read-only for good: after a repair everything acknowledged is there.

        Syncs are under way at that moment, and ext4 lets some of them return as if all were well: see
        `storage.log_room`, without which one of eight such runs lost what was acknowledged last.
        """
        disk = self._disk()
        crowd = self._crowd(disk=disk)

        def break_it() -> None:
            crowd.wait_for_progress()
            disk.fail()
            self._refusals(crowd)
            crowd.node.stop()

        crowd.talk(break_it)
        disk.unmount()
        disk.mount()
        crowd.node.start()
        crowd.talk(crowd.finish)
        self._hold(crowd)

    def test_read_only_server(self) -> None:
        """PostgreSQL that takes no changes, as a standby does, until it does."""
        url = postgres.url()
        server, name = postgres.server(), url.partition("@/")[2].partition("?")[0]

        def read_only(setting: str) -> None:
            server.sql(f"ALTER DATABASE {name} SET default_transaction_read_only = {setting}")
            server.sql(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")

        self._outage(self._crowd(url), lambda: read_only("on"), lambda: read_only("off"))

    def test_server_comes_and_goes(self) -> None:
        """PostgreSQL is cut down right behind each of some closings: all that follows from them is done.

        Nobody starts the node anew, and it logs no failure.
        """
        crowd, server = self._crowd(postgres.url()), postgres.server()
        heir, at_heir = sign_up(crowd.node, "heir")
        self.addCleanup(at_heir.close)
        owners = [self._owner(crowd.node, f"owner{number}", heir, at_heir) for number in range(CLOSINGS)]

        def meanwhile() -> None:
            for owner in owners:
                crowd.wait_for_progress()
                owner.client.send(id="last", method="session.block", params={"pin": PIN})
                server.stop()
                server.start()
            crowd.wait_for_progress()
            crowd.finish()

        crowd.talk(meanwhile)
        self._hold(crowd)
        for owner in owners:
            self._closed(crowd.node, owner)
        with resume(crowd.node, heir) as client:
            for owner in owners:
                members = client.call("group.members", chat=owner.group)["members"]
                left = [(each["account"], each["role"]) for each in members]
                self.assertEqual(left, [(heir.account, "owner")])

    def _owner(self, node: NodeProcess, name: str, heir: Person, at_heir: RawClient) -> "Owner":
        """Somebody who has a PIN, and a group with his heir."""
        person, client = sign_up(node, name)
        self.addCleanup(client.close)
        client.call("account.pin.set", password=PASSWORD, pin=PIN)
        client.call("contact.request", account=heir.account, address=heir.address)
        at_heir.call("contact.accept", account=person.account)
        made = client.call("group.create", client_id="group", name="walks", invite=[heir.account])
        group = made["chat"]["chat"]
        at_heir.call("group.accept", chat=group)
        return Owner(person, client, group)

    def _closed(self, node: NodeProcess, owner: "Owner") -> None:
        """His account is closed: as he is answered, or as he finds when he asks again what was refused."""
        try:
            while (answer := owner.client.read()).get("id") != "last":
                pass
            if "result" in answer:
                return
        except Ended:
            pass
        with connect(node) as client:
            try:
                client.call("account.block", username=owner.person.username, pin=PIN)
            except Refused as refused:
                self.assertEqual(refused.code, "wrong_pin")

    def test_server_away(self) -> None:
        """PostgreSQL that is cut down in the middle of it all, until it is there again."""
        crowd = self._crowd(postgres.url())
        server = postgres.server()
        self._outage(crowd, server.stop, server.start, readable=False)
