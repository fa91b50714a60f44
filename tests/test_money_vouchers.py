"""Vouchers: a code becomes money once, and what is stored does not tell whose."""

from typing import Any

from msgspec import structs
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.client.errors import RemoteProblem
from safeum_home.client.methods.voucher_tokens import Exchange, code_of
from safeum_home.errors import Problem
from safeum_home.protocol import ristretto, voprf
from safeum_home.protocol.commands import money
from safeum_home.protocol.signing import encode_octets
from safeum_home.safenum.money import vouchers
from safeum_home.sealing.vouchers import VoucherKey
from tests.sdk_world import SdkDevice
from tests.sync_support import need_group
from tests.test_money_commands import CommandCase
from tests.world import Client, Refused
from tests.world_parts import arena

TEN = 10_000_000
# RFC 9497, appendix A.1.2.1: ristretto255-SHA512, VOPRF mode, of the input 00.
KEY = "e6f73f344b79b379f1a0dd37e07ff62e38d9f71345ce62ae3a9bc60b04ccd909"
PUBLIC = "c803e2cc6b05fc15064549b5920659ca4a77b2cca6f04f6b357009335476ad4e"
BLIND = "64d37aed22a27f5191de1c1d69fadb899d8862b58eb4220029e036ec4c1f6706"
BLINDED = "863f330cc1a1259ed5a5998a23acfd37fb4351a793a5b3c090b642ddc439b945"
EVALUATED = "aa8fa048764d5623868679402ff6108d2521884fa138cd7f9c7669a9a014267e"
RANDOM = "222a5e897cf59db8145db8d16e597e8facb80ae7d4e26d9881aa6f61d645fc0e"
PROOF = (
    "ddef93772692e535d1a53903db24367355cc2cc78de93b3be5a8ffcc6985dd06"
    "6d4346421d17bf5117a2a1ff0fcb2a759f58a539dfbe857a40bce4cf49ec600d"
)
OUTPUT = (
    "b58cfbe118e0cb94d79b5fd6a6dafb98764dff49c14e1770b566e42402da1a7d"
    "a4d8527693914139caee5bd03903af43a491351d23b430948dd50cde10d32b3c"
)


def key_of(scalar: bytes) -> VoucherKey:
    slot = arena().slot()
    slot.view()[:] = scalar
    return VoucherKey(slot)


class VectorTests(SynchronousTestCase):
    def setUp(self) -> None:
        need_group()

    def test_rfc_9497(self) -> None:
        key = key_of(bytes.fromhex(KEY))
        self.assertEqual(key.public.hex(), PUBLIC)
        blinded = voprf.blind(b"\0", bytes.fromhex(BLIND))
        self.assertEqual(blinded.element.hex(), BLINDED)
        evaluated, proof = key.evaluate(blinded.element, bytes.fromhex(RANDOM))
        self.assertEqual((evaluated.hex(), proof.hex()), (EVALUATED, PROOF))
        output = voprf.finalize(b"\0", blinded, evaluated, proof, key.public)
        self.assertEqual((output.hex(), key.output(b"\0").hex()), (OUTPUT, OUTPUT))

    def test_wrong_proofs(self) -> None:
        """Another key, another element, another input, one bit: nothing of it is taken for a proof."""
        key, other = (key_of(ristretto.random_scalar()) for _ in range(2))
        blinded = voprf.blind(b"x")
        evaluated, proof = key.evaluate(blinded.element)
        voprf.verify(key.public, blinded.element, evaluated, proof)
        theirs, their_proof = other.evaluate(blinded.element)
        flipped = bytes([proof[0] ^ 1]) + proof[1:]
        for public, element, result, told in (
            (other.public, blinded.element, evaluated, proof),
            (key.public, blinded.element, theirs, proof),
            (key.public, blinded.element, theirs, their_proof),
            (key.public, evaluated, evaluated, proof),
            (key.public, blinded.element, evaluated, flipped),
            (key.public, blinded.element, evaluated, bytes(64)),
            (key.public, blinded.element, evaluated, b"\xff" * 64),
            (key.public, blinded.element, evaluated, proof[:63]),
            (key.public, blinded.element, bytes(32), proof),
            (bytes(32), blinded.element, evaluated, proof),
        ):
            self.assertRaises(voprf.WrongProof, voprf.verify, public, element, result, told)

    def test_codes_as_typed(self) -> None:
        code = "abcdefghijklmnopqrstuvwxyz"
        self.assertEqual(code_of(" ABCDE-FGHIJ klmno-pqrstuvwxyz\n"), code)
        for wrong in ("", "abc", code + "a", code[:-1] + "1", "é" * 26, "a" * 10_000):
            self.assertRaises(RemoteProblem, code_of, wrong)


class VoucherCase(CommandCase):
    def setUp(self) -> None:
        need_group()
        super().setUp()

    def issue(self, number: int = 1, amount: int = TEN) -> list[str]:
        issued: list[Any] = []
        change = self.world.database.transact(lambda c: self.money.vouchers.issue(c, number, "EUR", amount))
        change.addBoth(issued.append)
        if isinstance(issued[0], Failure):
            issued[0].raiseException()
        codes: list[str] = issued[0]
        return codes

    def exchange(self, exchange: Exchange, host: str = "203.0.113.5") -> Any:
        """As nobody; the token."""
        answer = Client(self.world, host).call("voucher.exchange", **structs.asdict(exchange.params))
        return self.token(exchange, answer)

    def token(self, exchange: Exchange, answer: dict[str, Any]) -> Any:
        async def ask(params: Any, result: Any) -> money.VoucherKeyList:
            keys = self.ann.call("voucher.keys")["keys"]
            return money.VoucherKeyList([money.KeyOfVouchers(**key) for key in keys])

        found: list[Any] = []
        told = exchange.token(ask, money.VoucherExchanged(**answer))
        Deferred.fromCoroutine(told).addBoth(found.append)
        if hasattr(found[0], "raiseException"):
            found[0].raiseException()
        return found[0]

    def redeem(self, token: Any, client: Client | None = None) -> Any:
        return (client or self.ann).call("balance.redeem", **structs.asdict(token))


class VoucherTests(VoucherCase):
    def test_redeemed(self) -> None:
        """Its value is added, once, to whichever account; ledger and statement have it."""
        [code] = self.issue()
        token = self.exchange(Exchange(code))
        self.assertEqual(self.redeem(token)["balance"], TEN)
        bob = self.world.register("bob")
        for client in (self.ann, bob):
            refusal = self.assertRaises(Refused, self.redeem, token, client)
            self.assertEqual(refusal.code, "bad_voucher")
        self.assertEqual(bob.call("balance.get")["balance"], 0)
        [line] = self.ann.call("balance.statement")["lines"]
        self.assertEqual((line["kind"], line["amount"]), ("vouchers", TEN))

    def test_exchanged_once(self) -> None:
        """The same element again has the same token; another one has none, and nor has another code."""
        [code] = self.issue()
        exchange = Exchange(code)
        first = self.exchange(exchange)
        self.assertEqual(self.exchange(exchange), first)
        for other in (Exchange(code), Exchange("a" * 26)):
            self.assertEqual(self.assertRaises(Refused, self.exchange, other).code, "bad_voucher")

    def test_worth_no_more(self) -> None:
        """A token of one value is none of another, and one that was made up is none."""
        [code] = self.issue()
        token = self.exchange(Exchange(code))
        for wrong in (
            structs.replace(token, amount=5 * TEN),
            structs.replace(token, amount=0),
            structs.replace(token, amount=-TEN),
            structs.replace(token, currency="USD"),
            structs.replace(token, output=encode_octets(bytes(64))),
            structs.replace(token, input=encode_octets(bytes(32))),
        ):
            self.assertEqual(self.assertRaises(Refused, self.redeem, wrong).code, "bad_voucher")
        self.assertEqual(self.redeem(token)["balance"], TEN)

    def test_no_element(self) -> None:
        """What is no element is refused before the voucher is spent."""
        [code] = self.issue()
        for element in (bytes(32), b"\xff" * 32):
            client = Client(self.world)
            asked = {"code": code, "element": encode_octets(element)}
            refusal = self.assertRaises(Refused, client.call, "voucher.exchange", **asked)
            self.assertEqual(refusal.code, "invalid_params")
        self.assertEqual(self.redeem(self.exchange(Exchange(code)))["balance"], TEN)

    def test_by_nobody(self) -> None:
        """A session of an account cannot exchange: it would be known whose the code was."""
        [code] = self.issue()
        asked = structs.asdict(Exchange(code).params)
        self.assertEqual(
            self.assertRaises(Refused, self.ann.call, "voucher.exchange", **asked).code, "wrong_state"
        )

    def test_tries(self) -> None:
        """An address has so many tries; others have theirs."""
        for _ in range(20):
            refusal = self.assertRaises(Refused, self.exchange, Exchange("a" * 26))
            self.assertEqual(refusal.code, "bad_voucher")
        refusal = self.assertRaises(Refused, self.exchange, Exchange("a" * 26))
        self.assertEqual(refusal.code, "rate_limited")
        [code] = self.issue()
        self.exchange(Exchange(code), "203.0.113.6")

    def test_most(self) -> None:
        """There are only so many: more are not issued, not one of them."""
        self.patch(vouchers, "MOST", 3)
        self.issue(2)
        self.assertRaises(Problem, self.issue, 2)
        self.assertEqual(self.world.database.count("vouchers"), 2)

    def test_stored(self) -> None:
        """Neither code, token nor value is in the database; a code's row is the same, whoever redeems it."""
        codes = self.issue(2)
        tokens = [self.exchange(Exchange(code)) for code in codes]
        rows = self.world.database.now(lambda c: c.exec_driver_sql("SELECT * FROM vouchers").all())
        self.redeem(tokens[0])
        self.redeem(tokens[1], self.world.register("bob"))
        again = self.world.database.now(lambda c: c.exec_driver_sql("SELECT * FROM vouchers").all())
        self.assertEqual(list(rows), list(again))
        stored = self.world.database.connection.connection.driver_connection.serialize()  # type: ignore[union-attr]
        for canary in (*codes, *(token.input for token in tokens), *(token.output for token in tokens)):
            self.assertNotIn(canary.encode(), stored)


class HostileTests(VoucherCase):
    def test_key_of_ones_own(self) -> None:
        """A node that exchanges with another key than it tells accounts could tell tokens apart: no token."""
        [code] = self.issue()
        exchange = Exchange(code)
        answer = Client(self.world).call("voucher.exchange", **structs.asdict(exchange.params))
        own = key_of(ristretto.random_scalar())
        element = voprf.blind(b"x").element
        evaluated, proof = own.evaluate(element)
        for told in (
            {"key": encode_octets(own.public)},
            {"element": encode_octets(evaluated), "proof": encode_octets(proof)},
            {"amount": 5 * TEN},
            {"proof": encode_octets(bytes(64))},
        ):
            self.assertRaises(RemoteProblem, self.token, exchange, {**answer, **told})
        self.token(exchange, answer)


class SdkTests(VoucherCase):
    def test_sdk(self) -> None:
        """A client that is logged in exchanges over a connection of its own, and redeems."""
        [code] = self.issue()
        device = SdkDevice(self.world).register("bea")
        before = len(self.world.connections)
        token = device.do(device.client.exchange_voucher(code.upper()))
        self.assertNotIn(token.output, repr(token))
        self.assertEqual(device.do(device.client.redeem(token)).balance, TEN)
        self.assertRaises(RemoteProblem, device.do, device.client.redeem(token))
        self.assertEqual(len(self.world.connections), before)
