"""Calls through the SDK: whose keys they are, which relay they take, and a node that tells nonsense."""

import asyncio
from typing import Any

from safeum_home.client import aio
from safeum_home.client.calling.call_state import CallState
from safeum_home.client.calling.calling import new_id
from safeum_home.client.calling.ending import CallEnd
from safeum_home.client.calling.launch import RENEW
from safeum_home.client.calling.media import Relay
from safeum_home.client.connection.requests import TIMEOUT
from safeum_home.client.errors import RemoteProblem
from safeum_home.errors import Code, Problem
from safeum_home.protocol.call_types import Media
from safeum_home.protocol.commands.calls import RelayCredentials
from safeum_home.protocol.commands.keys import KeysLaunch, KeysQuery
from safeum_home.protocol.events import CallAnswered, CallInvitation, CallRings, CallSignalled
from safeum_home.protocol.key_types import AccountKeys
from safeum_home.protocol.signing import encode_octets
from tests.sdk_calls import ACTIVE, RINGING, Caller, CallingCase


class IdentityTests(CallingCase):
    """Ann and Ben have identities, which their programs sign launch keys by."""

    seeds = {"ann": 1, "ben": 2}

    def register(self, name: str, seed: int | None = None) -> Caller:
        return super().register(name, seed or self.seeds.get(name))

    def test_bound(self) -> None:
        """They are believed, and so they are where they were pinned."""
        self.talk()
        assert self.ben.identity is not None
        self.ann.pins[self.ben.account] = encode_octets(bytes(self.ben.identity.verify_key))
        self.talk()

    def test_other_pin(self) -> None:
        """Another one than was pinned is refused, and the call is over for both."""
        assert self.ann.identity is not None
        self.ann.pins[self.ben.account] = encode_octets(bytes(self.ann.identity.verify_key))
        mine = self.ann.call(self.ben)
        (theirs,) = self.ben.rang
        theirs.answer()
        self.settle()
        self.assertEqual((mine.why, theirs.why), (CallEnd.TAMPERED, CallEnd.HANGUP))
        self.assertIn("pinned", mine.wrong)
        self.assertEqual(self.network.open, [])

    def test_signed_anew(self) -> None:
        """Every 12 hours, as signatures bind for a day."""
        before = self.launched(self.ben)
        self.settle(1)
        self.world.clock.advance(RENEW)
        self.settle(1)
        after = self.launched(self.ben)
        self.assertEqual(after["sign"], before["sign"])
        self.assertGreaterEqual(after["at"] - before["at"], RENEW * 1000)

    def launched(self, of: Caller) -> dict[str, Any]:
        """The launch keys of a device, as the directory has them."""
        found = self.ann.do(self.ann.client.keys_of([of.account], launches=True)).keys[0].launches[0]
        return {"sign": found.sign, "at": found.at}


class PublishingTests(CallingCase):
    def test_same_launch(self) -> None:
        """Another connection does not make other keys; another program does."""
        calling = self.ann.client._takes_calls()
        before = calling.launch.sign
        self.ann.drop()
        self.ann.back()
        self.settle(1)
        self.assertEqual(self.shown(self.ann), [before])
        self.assertNotEqual(self.login("ann").client._takes_calls().launch.sign, before)

    def shown(self, of: Caller) -> list[str]:
        keys = self.ben.do(self.ben.client.keys_of([of.account], launches=True)).keys[0]
        return [launch.sign for launch in keys.launches]

    def test_refused(self) -> None:
        """Who cannot publish its keys does not call, and is told why; it rings for nobody either."""
        routes: Any = self.world.services.routes
        taken = routes[KeysLaunch]

        def refuses(_caller: object, _params: object) -> None:
            raise Problem(Code.BAD_KEYS)

        routes[KeysLaunch] = refuses
        self.ann.drop()
        self.ann.back()
        self.settle(1)
        problem = self.assertRaises(RemoteProblem, self.ann.do, self.ann.client.start_call(self.ben.account))
        self.assertTrue(problem.of(Code.BAD_KEYS))
        other = self.ben.call(self.ann)
        self.assertEqual((self.ann.rang, other.state), ([], CallState.CALLING))
        other.hang_up()
        routes[KeysLaunch] = taken
        self.talk()

    def test_asleep(self) -> None:
        """Calling somebody wakes a client that sleeps."""
        self.ann.do(self.ann.client.sleep())
        self.settle(1)
        self.talk()

    def test_away(self) -> None:
        """Without a connection it waits for one, for as long as any command."""
        self.ann.drop()
        started = self.ann.client.start_call(self.ben.account)
        self.settle(TIMEOUT + 1)
        self.failureResultOf(started)
        self.assertEqual(self.ann.client.calls, [])


class RelayTests(CallingCase):
    def test_taken(self) -> None:
        """Credentials are asked for by each call, and again when they are about to end."""
        until = int(self.world.clock.seconds() + 600) * 1000
        self.relay = RelayCredentials(["turn:relay.example"], "user", "password", until)
        self.ann.call(self.ben)
        self.assertEqual(self.asked, 2)  # while it rings
        self.ben.rang[-1].answer()
        self.settle()
        (mine,) = self.ann.client.calls
        relay = Relay(("turn:relay.example",), "user", "password")
        self.assertEqual([link.relays for link in self.network.links], [[relay], [relay]])
        self.assertEqual(self.asked, 2)
        self.again()
        self.assertEqual(self.asked, 2)
        self.world.clock.pump([10.0] * 57)
        self.again()
        self.assertEqual(self.asked, 4)
        self.assertIs(mine.state, ACTIVE)

    def again(self) -> None:
        """Another link is needed."""
        self.network.cut()
        self.settle(2)

    def test_only(self) -> None:
        """Who lets nobody know its address takes the relay alone."""
        cay = self.register("cay")
        cay.befriend(self.ben)
        self.relay = RelayCredentials(["turn:relay.example"], "user", "password", 2**50)
        cay.take_calls(relay_only=True)
        cay.call(self.ben)
        self.assertTrue(cay.source.links[0].options["relay_only"])

    def test_secrets_are_not_shown(self) -> None:
        """Nothing of them is in what is printed."""
        self.assertNotIn("hunter2", repr(Relay(("turn:relay.example",), "hunter2", "hunter2")))


class HostileNodeTests(CallingCase):
    """What a node tells that is of no call, or not of the one that it says."""

    def test_others(self) -> None:
        """Signals of other devices and accounts are not heard."""
        mine, theirs = self.talk()
        before = self.state
        for account, device in ((self.ben.account, "D" + "x" * 16), (self.ann.account, theirs.peer_device)):
            self.ann.client._hear(CallSignalled(mine.id, account, device or "", "AAAA"))
        self.ann.client._hear(CallSignalled(new_id(), self.ben.account, mine.peer_device or "", "AAAA"))
        self.ann.client._hear(CallAnswered(mine.id, "D" + "x" * 16))
        self.ann.client._hear(CallRings(mine.id, "D" + "x" * 16, "AAAA"))
        self.ben.client._hear(CallAnswered(theirs.id, "D" + "x" * 16))
        self.ben.client._hear(CallRings(theirs.id, "D" + "x" * 16, "AAAA"))
        self.settle()
        self.assertEqual((mine.state, theirs.state, self.state), (ACTIVE, ACTIVE, before))

    @property
    def state(self) -> object:
        return [(link.flow, link.peer) for link in self.network.links]

    def test_signals_of_the_node(self) -> None:
        """One that claims to be the other device's ends the call."""
        mine, theirs = self.talk()
        self.ann.client._hear(CallSignalled(mine.id, self.ben.account, mine.peer_device or "", "AAAA"))
        self.settle()
        self.assertEqual((mine.why, theirs.why), (CallEnd.TAMPERED, CallEnd.HANGUP))

    def test_a_device_of_the_node(self) -> None:
        """A device that has answered, and is not in the directory, gets nothing."""
        mine = self.ann.call(self.ben)
        response = self.ben.client._takes_calls().opening(1).hello
        self.ann.client._hear(CallRings(mine.id, "D" + "x" * 16, response))
        self.ann.client._hear(CallAnswered(mine.id, "D" + "x" * 16))
        self.settle()
        self.assertIs(mine.why, CallEnd.TAMPERED)
        self.assertEqual(self.network.open, [])

    def test_too_early(self) -> None:
        """What a caller says before the answer waits for it, up to a bound; no link is made."""
        self.ann.call(self.ben)
        (theirs,) = self.ben.rang
        for _ in range(100):
            self.ben.client._hear(
                CallSignalled(theirs.id, self.ann.account, theirs.peer_device or "", "BAAA")
            )
        self.assertEqual((theirs.state, self.ben.source.links), (RINGING, []))
        theirs.answer()
        self.settle()
        self.assertIs(theirs.why, CallEnd.TAMPERED)

    def test_no_hello(self) -> None:
        """A call without commitments is none."""
        for hello in ("AAAA", "A"):
            event = CallInvitation(new_id(), self.ann.account, "D" * 17, Media.AUDIO, hello, 45.0)
            self.ben.client._hear(event)
        self.settle()
        self.assertEqual((self.ben.rang, self.ben.client.calls), ([], []))

    def test_rings_for_ever(self) -> None:
        """Whatever the node says, a call that nobody tells of any more is over."""
        hello = self.ann.client._takes_calls().opening(1).hello
        event = CallInvitation(new_id(), self.ann.account, "D" * 17, Media.AUDIO, hello, 1e12)
        self.ben.client._hear(event)
        self.ben.client._hear(event)
        self.settle()
        self.world.clock.pump([1.0] * 70)
        self.assertEqual(self.ben.client.calls, [])

    def test_directory_that_lies(self) -> None:
        """Other keys than the device's are not taken for it."""
        routes: Any = self.world.services.routes
        asked = routes[KeysQuery]

        async def lies(caller: object, params: KeysQuery) -> object:
            answer = await asked(caller, params)
            (keys,) = answer.keys
            launches = tuple(launch for launch in keys.launches if launch.device == "nobody's")
            return type(answer)([AccountKeys(keys.account, launches=launches)])

        routes[KeysQuery] = lies
        mine = self.ann.call(self.ben)
        self.ben.rang[0].answer()
        self.settle(3)
        self.assertIn(CallEnd.TAMPERED, (mine.why, self.ben.rang[0].why))
        self.assertEqual(self.network.open, [])


class AsyncioTests(CallingCase):
    def test_alike(self) -> None:
        """In asyncio what is awaited is a future; all else is the same call."""
        loop = asyncio.new_event_loop()
        self.addCleanup(loop.close)
        client = self.login_plain("ben")
        asynchronous = aio.Client(client.client, loop)
        asynchronous.take_calls(client.source)
        rang: list[Any] = []
        asynchronous.on_call(rang.append)
        self.settle(1)
        mine = self.ann.call(self.ben)
        reached = rang[0].reached(ACTIVE)
        self.assertIsInstance(reached, asyncio.Future)
        rang[0].answer()
        self.settle()
        self.assertIs(loop.run_until_complete(reached), ACTIVE)
        self.assertEqual((asynchronous.calls, mine.state), (rang, ACTIVE))

    def login_plain(self, name: str) -> Caller:
        caller = Caller(self.world, self.network)
        self.callers.append(caller)
        caller.login(name)
        return caller
