"""APNs against node's own http2, over TLS: what is sent, what each answer means, connections that end."""

from time import time

from bridges.push.apns_answers import REASONS
from safeum_home.ports.push import Accepted, PushAddress, Refused, Temporary, Wake
from tests.apns import BUNDLE, CALL_TOKEN, TOKEN, ApnsCase, signing_key


def device(number: int) -> str:
    return f"{number:064x}"


class ApnsDoubleTests(ApnsCase):
    async def test_taken(self) -> None:
        """What Apple's documents ask for is what comes."""
        before = int(time())
        self.assertEqual(await self.woken(self.provider()), Accepted())
        state = await self.double.tell()
        self.assertEqual((state["taken"], state["connections"], state["last"]["status"]), (1, 1, 200))
        head = state["last"]["headers"]
        self.assertEqual((head[":method"], head[":path"]), ("POST", f"/3/device/{TOKEN}"))
        self.assertEqual((head["apns-topic"], head["apns-push-type"]), (BUNDLE, "alert"))
        self.assertIn(int(head["apns-expiration"]), range(before + 60, int(time()) + 61))

    async def test_sorts(self) -> None:
        """Each sort of request is one that APNs takes."""
        for changes, wake, call_token, wanted in (
            ({"message": "background"}, Wake.MESSAGE, None, (BUNDLE, "background", "5", TOKEN)),
            ({"text": "Es gibt Neues für dich"}, Wake.MESSAGE, CALL_TOKEN, (BUNDLE, "alert", "10", TOKEN)),
            ({}, Wake.CALL, CALL_TOKEN, (f"{BUNDLE}.voip", "voip", "10", CALL_TOKEN)),
            ({}, Wake.CALL, None, (BUNDLE, "alert", "10", TOKEN)),
        ):
            outcome = await self.woken(self.provider(**changes), TOKEN, wake, call_token)
            self.assertEqual(outcome, Accepted())
            head = (await self.double.tell())["last"]["headers"]
            found = (head["apns-topic"], head["apns-push-type"], head["apns-priority"])
            self.assertEqual((*found, head[":path"].removeprefix("/3/device/")), wanted)
            self.assertEqual(head["apns-collapse-id"], wake.value)

    async def test_every_reason(self) -> None:
        """All that Apple's table has, as it comes over the wire."""
        provider = self.provider()
        self.assertEqual(await self.woken(provider), Accepted())
        for reason, outcome in REASONS.items():
            await self.double.tell(always={"reason": reason, "timestamp": 1_800_000_000_000})
            self.assertEqual(await self.woken(provider), outcome, reason)

    async def test_another_key(self) -> None:
        """A key that APNs does not know: the node is refused, until it is replaced in the store."""
        provider, right = self.provider(), self.secrets["apns"]
        self.secrets["apns"] = signing_key()[0]
        outcome = await self.woken(provider)
        self.assertIsInstance(outcome, Refused)
        self.assertTrue(outcome.account_refused)  # type: ignore[union-attr]
        self.secrets["apns"] = right
        self.assertEqual(await self.woken(provider), Accepted())

    async def test_wrong_settings(self) -> None:
        """What is not as Apple knows it is refused, and no address is held to be dead for it."""
        for changes in ({"key_id": "X" * 10}, {"team_id": "X" * 10}, {"topic": "com.example.other"}):
            outcome = await self.woken(self.provider(**changes))
            self.assertIsInstance(outcome, Refused, str(changes))

    async def test_wrong_clock(self) -> None:
        """A clock that is far off: the provider token is refused, and not signed anew again and again."""
        provider = self.provider()
        await self.double.tell(skew=7200, minimum=1200)
        for _ in range(2):
            self.assertEqual(await self.woken(provider), REASONS["ExpiredProviderToken"])

    async def test_many(self) -> None:
        """On one connection, one at first, and then as many as APNs allows."""
        provider = self.provider()
        outcomes = [provider.wake(PushAddress(device(n)), Wake.MESSAGE, 60) for n in range(1200)]
        for outcome in outcomes:
            self.assertEqual(await outcome, Accepted())
        state = await self.double.tell()
        self.assertEqual((state["connections"], state["taken"], state["twice"]), (1, 1200, 0))
        self.assertGreater(state["most"], 1)

    async def test_leaves(self) -> None:
        """GOAWAY below what is under way, twice, and streams that are refused: all are taken, none twice."""
        provider = self.provider()
        await self.double.tell(
            leave=[{"after": 300, "how": "goaway", "back": 200}, {"after": 700, "how": "goaway", "back": 50}]
        )
        first = provider.wake(PushAddress(device(0)), Wake.MESSAGE, 60)
        self.assertEqual(await first, Accepted())
        await self.double.tell(refuse=5)
        outcomes = [provider.wake(PushAddress(device(n)), Wake.MESSAGE, 60) for n in range(1, 1200)]
        for outcome in outcomes:
            self.assertEqual(await outcome, Accepted())
        state = await self.double.tell()
        self.assertEqual((state["connections"], state["taken"], state["twice"]), (3, 1200, 0))
        self.assertEqual(state["refused"], 5)

    async def test_reset(self) -> None:
        """A connection that breaks off: what was under way is told as such, and the next one is taken."""
        provider = self.provider()
        self.assertEqual(await self.woken(provider), Accepted())
        await self.double.tell(stall=True)
        outcome = provider.wake(PushAddress(TOKEN), Wake.MESSAGE, 60)
        while not (await self.double.tell())["held"]:
            pass
        await self.double.tell(leaves={"how": "reset"})
        self.assertEqual(await outcome, Temporary("the connection broke off"))
        await self.double.tell(stall=False)
        self.assertEqual(await self.woken(provider), Accepted())

    async def test_stalls(self) -> None:
        """An APNs that does not answer is not waited for any longer than the settings say."""
        await self.double.tell(stall=True)
        outcome = await self.woken(self.provider(seconds=1))
        self.assertEqual(outcome, Temporary("there was no answer in time"))

    async def test_unknown_root(self) -> None:
        """A certificate that nobody vouches for: nothing is sent."""
        self.assertEqual(await self.woken(self.provider(ca=None)), Temporary("TLS failed"))
        self.assertEqual((await self.double.tell())["requests"], 0)

    async def test_another_name(self) -> None:
        """A certificate of another host."""
        provider = self.provider(url=f"https://127.0.0.2:{self.double.port}")
        outcome = await self.woken(provider)
        self.assertIsInstance(outcome, Temporary)
        self.assertEqual((await self.double.tell())["requests"], 0)
