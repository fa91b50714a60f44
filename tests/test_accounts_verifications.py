"""Proving a number: the notice first, then the code, within limits of time, tries and texts."""

from hypothesis import given, settings
from hypothesis import strategies as st

from safeum_home.accounts.verification_machine import (
    RESEND_AFTER,
    TRIES,
    Progress,
    VerificationMachine,
    new_verification,
)
from safeum_home.accounts.verifications import Verifications
from safeum_home.config import NumberSection
from safeum_home.errors import Code, Problem
from safeum_home.protocol.commands import VerificationCreate
from tests.number_case import NUMBER, OTHER_NUMBER, NumberCase, wrong
from tests.world import PASSWORD, World


class BeginningTests(NumberCase):
    def test_told_before_anything_is_sent(self) -> None:
        """The client learns what the operator learns, and the number as it is understood; no text is sent."""
        begun = self.client().call("verification.create", number="+49 (0)171 123-4567")
        self.assertEqual((begun["number"], begun["notice"]), (NUMBER, "operator_learns_location"))
        self.assertIn("operator", begun["notice_text"])
        self.assertEqual(begun["expires_in"], 600)
        self.assertRegex(begun["verification"], r"^[A-Za-z0-9_-]{22}$")
        self.assertEqual(self.world.texts.sent, [])

    def test_ids_differ(self) -> None:
        """Each is a number of its own."""
        self.assertEqual(len({self.create() for _ in range(50)}), 50)

    def test_no_number(self) -> None:
        """What is no mobile number is refused, and counts for nothing."""
        self.world = World(verifications_per_address=0.001, verifications_per_address_burst=1)
        for text in ("0171 1234567", "+49 30 123456", "alice", "+", "+49171\n1234567"):
            self.refused("invalid_number", "verification.create", number=text)
        self.create()

    def test_not_while_registration_is_closed(self) -> None:
        """A node that takes nobody sends nothing, to known and unknown numbers alike."""
        self.world = World(registration="closed")
        self.refused("registration_closed", "verification.create", number=NUMBER)

    def test_limit_of_an_address(self) -> None:
        """An address begins so many; all of an IPv6 network is one address."""
        self.world = World(verifications_per_address=0.1, verifications_per_address_burst=2)
        self.create(host="2001:db8::1")
        self.create(host="2001:db8::2")
        problem = self.refused("rate_limited", "verification.create", "2001:db8::3", number=NUMBER)
        self.assertAlmostEqual(problem["retry_after"], 10, 3)
        self.create(host="2001:db8:0:1::1")
        self.world.clock.advance(10.1)
        self.create(host="2001:db8::3")

    def test_a_bounded_number(self) -> None:
        """The oldest makes room, and is over."""
        self.world = World(numbers=NumberSection(verifications=3))
        begun = [self.create() for _ in range(4)]
        self.refused("verification_over", "verification.request", verification=begun[0])
        for verification in begun[1:]:
            self.client().call("verification.request", verification=verification)

    def test_a_bounded_number_of_codes(self) -> None:
        """Among those whose code was sent, the one whose newest code is oldest makes room."""
        self.world = World(numbers=NumberSection(verifications=2))
        first, second = self.sent(), self.sent(OTHER_NUMBER)
        self.world.clock.advance(60)
        self.client().call("verification.request", verification=first[0])
        again = self.world.texts.code
        third = self.sent("+491711234568")
        self.refused_submission("verification_over", *second)
        self.refused_submission("wrong_code", first[0], wrong(again))
        self.refused_submission("wrong_code", third[0], wrong(third[1]))

    def test_what_is_over_is_dropped(self) -> None:
        """Whether its code was sent or not, it takes no room once its time has run."""
        verifications: Verifications = self.world.services.routes[VerificationCreate].__self__  # type: ignore[attr-defined]
        self.sent()
        self.create()
        self.assertEqual(len(verifications), 2)
        self.world.clock.advance(600)
        self.create()
        self.assertEqual(len(verifications), 1)

    def test_none_with_a_code_makes_room(self) -> None:
        """Beginning verifications costs nothing, and ends none whose code somebody has or waits for."""
        self.world = World(numbers=NumberSection(verifications=3))
        verification, code = self.sent()
        self.world.texts.hold = []
        waiting, client = self.create(OTHER_NUMBER), self.client()
        asked = client.ask("verification.request", verification=waiting)
        unsent = self.create()
        for _ in range(20):
            self.create()
        self.refused("verification_over", "verification.request", verification=unsent)
        self.world.texts.hold[0].callback(None)
        self.assertEqual((client.answer(asked) or {})["tries_left"], 5)
        self.client().call("verification.submit", **self.submitted(waiting, self.world.texts.code))
        self.client().call("verification.submit", **self.submitted(verification, code))

    def test_limit_of_a_site(self) -> None:
        """All networks of an IPv6 /48 together begin ten times as many as one; no network pays for others."""
        self.world = World(verifications_per_address=0.01, verifications_per_address_burst=2)
        for network in range(20):
            self.create(host=f"2001:db8:7:{network:x}::1")
        for network in (20, 65535):
            problem = self.refused(
                "rate_limited", "verification.create", f"2001:db8:7:{network:x}::1", number=NUMBER
            )
            self.assertAlmostEqual(problem["retry_after"], 10, 3)
        self.create(host="2001:db8:8::1")
        self.create(host="203.0.113.1")
        self.world.clock.advance(20.1)
        # What was refused for the site was not counted against the network.
        for _ in range(2):
            self.create(host="2001:db8:7:14::1")

    def test_time_to_read_and_type(self) -> None:
        """Each step gives a connection time for the next, and only what succeeds does."""
        client = self.client()
        for step in range(3):
            self.world.clock.advance(14)
            client.call("verification.create", number=NUMBER)
            self.assertIsNone(client.connection.close_code, step)
        self.world.clock.advance(14)
        client.ask("verification.create", number="nonsense")
        self.world.clock.advance(2)
        self.assertEqual(client.connection.close_code, 4001)


class SendingTests(NumberCase):
    def test_the_text(self) -> None:
        """Six digits go to the number, with the client's address for the limits behind."""
        verification = self.create(host="198.51.100.9")
        answer = self.client("198.51.100.9").call("verification.request", verification=verification)
        self.assertEqual(answer, {"tries_left": 5, "resend_after": 60, "expires_in": 600})
        [(number, text, host)] = self.world.texts.sent
        self.assertEqual((number, host), (NUMBER, "198.51.100.9"))
        self.assertRegex(text, r"^[0-9]{6} is your SafeUM code\.")

    def test_codes_are_drawn_evenly(self) -> None:
        """Each digit turns up at each place: leading zeros too."""
        self.world = World(numbers=NumberSection(verifications=1000))
        codes = {self.sent()[1] for _ in range(400)}
        self.assertGreater(len(codes), 390)
        for place in range(6):
            self.assertEqual({code[place] for code in codes}, set("0123456789"))

    def test_again_after_a_while(self) -> None:
        """Other codes come after growing times; only the newest counts, and there is a last one."""
        verification, first = self.sent()
        for place, wait in enumerate(RESEND_AFTER):
            problem = self.refused("rate_limited", "verification.request", verification=verification)
            self.assertAlmostEqual(problem["retry_after"], wait, 3)
            self.world.clock.advance(wait)
            answer = self.client().call("verification.request", verification=verification)
            last = place == len(RESEND_AFTER) - 1
            self.assertEqual(answer["resend_after"], None if last else int(RESEND_AFTER[place + 1]))
        self.world.clock.advance(400)
        problem = self.refused("rate_limited", "verification.request", verification=verification)
        self.assertAlmostEqual(problem["retry_after"], 200, 3)
        codes = [text[:6] for _, text, _ in self.world.texts.sent]
        self.assertEqual(len(codes), 4)
        if first != codes[-1]:
            self.refused_submission("wrong_code", verification, first)
        self.client().call("verification.submit", **self.submitted(verification, codes[-1]))

    def test_limit_of_a_number(self) -> None:
        """A number is sent so many codes, however written, and whoever asks; another number is not hit."""
        self.world = World(codes_per_number=0.001, codes_per_number_burst=2)
        self.sent("+49 171 1234567", host="192.0.2.1")
        self.sent("+4901711234567", host="192.0.2.2")
        begun = self.create(NUMBER, "192.0.2.3")
        problem = self.refused("rate_limited", "verification.request", verification=begun)
        self.assertAlmostEqual(problem["retry_after"], 1000, 3)
        self.sent(OTHER_NUMBER)
        self.assertEqual(len(self.world.texts.sent), 3)

    def test_nothing_was_sent(self) -> None:
        """Where no provider was asked, nothing is counted, and it may be tried again at once."""
        self.world = World(codes_per_number=0.001, codes_per_number_burst=1)
        verification = self.create()
        for problem in (Problem(Code.BUSY, retry_after=1.0), Problem(Code.RATE_LIMITED, retry_after=3.0)):
            self.world.texts.failing = problem
            self.refused(problem.code.code, "verification.request", verification=verification)
            self.refused_submission("wrong_state", verification, "000000")
        self.world.texts.failing = None
        self.client().call("verification.request", verification=verification)
        self.refused_submission("wrong_code", verification, wrong(self.world.texts.code))

    def test_a_provider_may_have_sent_it(self) -> None:
        """A text that no provider says it took may have gone out: it counts as one of the number's."""
        self.world = World(codes_per_number=0.001, codes_per_number_burst=2)
        verification = self.create()
        self.world.texts.failing = Problem(Code.SMS_UNAVAILABLE)
        for expected in ("sms_unavailable", "sms_unavailable", "rate_limited"):
            self.refused(expected, "verification.request", verification=verification)
        self.world.texts.failing = None
        self.refused("rate_limited", "verification.request", verification=verification)
        self.world.clock.advance(590)
        verification = self.create()
        self.world.clock.advance(411)
        verification = self.create()
        self.client().call("verification.request", verification=verification)

    def test_another_code_was_not_sent(self) -> None:
        """Then the one before still counts."""
        verification, code = self.sent()
        self.world.clock.advance(60)
        self.world.texts.failing = Problem(Code.SMS_UNAVAILABLE)
        self.refused("sms_unavailable", "verification.request", verification=verification)
        self.client().call("verification.submit", **self.submitted(verification, code))

    def test_one_at_a_time(self) -> None:
        """While a code is on its way to the provider neither another one is sent nor one compared."""
        self.world.texts.hold = []
        verification, client = self.create(), self.client()
        asked = client.ask("verification.request", verification=verification)
        self.refused("busy", "verification.request", verification=verification)
        self.refused_submission("busy", verification, "000000")
        self.assertIsNone(client.answer(asked))
        [done] = self.world.texts.hold
        done.callback(None)
        self.assertEqual((client.answer(asked) or {})["tries_left"], 5)
        self.assertEqual(len(self.world.texts.sent), 1)

    def test_a_client_that_left_meanwhile(self) -> None:
        """It goes on from another connection: a verification belongs to none."""
        self.world.texts.hold = []
        verification, client = self.create(), self.client()
        client.ask("verification.request", verification=verification)
        client.drop()
        self.world.texts.hold[0].callback(None)
        params = self.submitted(verification, self.world.texts.code)
        self.client("203.0.113.80").call("verification.submit", **params)


class CodeTests(NumberCase):
    def test_before_a_code(self) -> None:
        """Nothing can be proved before a code was sent."""
        self.refused_submission("wrong_state", self.create(), "000000")

    def test_five_tries(self) -> None:
        """The fifth wrong code ends it, and then the right one is of no use."""
        verification, code = self.sent()
        for left in range(TRIES - 1, 0, -1):
            problem = self.refused_submission("wrong_code", verification, wrong(code))
            self.assertEqual(problem["detail"], f"tries left: {left}")
        self.refused_submission("verification_over", verification, wrong(code))
        self.refused_submission("verification_over", verification, code)
        self.refused("verification_over", "verification.request", verification=verification)
        self.assertEqual((self.world.pool.hashed, self.world.database.count("accounts")), (0, 0))

    def test_another_code_brings_no_more_tries(self) -> None:
        """Tries are of the verification, not of a code."""
        verification, code = self.sent()
        for _ in range(3):
            self.refused_submission("wrong_code", verification, wrong(code))
        self.world.clock.advance(60)
        answer = self.client().call("verification.request", verification=verification)
        self.assertEqual(answer["tries_left"], 2)

    def test_a_code_of_another_verification(self) -> None:
        """A code is good for the verification it was sent for."""
        (first, code), (second, other) = self.sent(), self.sent()
        if code != other:
            self.refused_submission("wrong_code", first, other)
            self.refused_submission("wrong_code", second, code)

    def test_form(self) -> None:
        """A code is six ASCII digits, and what is not is no try."""
        verification, code = self.sent()
        for text in ("", code[:5], code + "0", code + "\n", "\u0661" * 6, "abcdef", int(code)):
            self.refused("invalid_params", "verification.submit", **self.submitted(verification, text))  # type: ignore[arg-type]
        self.client().call("verification.submit", **self.submitted(verification, code))

    def test_time(self) -> None:
        """A code is good for ten minutes, and a verification whose code was never sent too."""
        verification, code = self.sent()
        unsent = self.create()
        self.world.clock.advance(599)
        self.refused_submission("wrong_code", verification, wrong(code))
        self.world.clock.advance(1)
        self.refused_submission("verification_over", verification, code)
        self.refused("verification_over", "verification.request", verification=unsent)

    def test_time_begins_with_the_code(self) -> None:
        """One that was sent late has its ten minutes all the same, and outlives what began after it."""
        verification = self.create()
        self.world.clock.advance(590)
        self.client().call("verification.request", verification=verification)
        code = self.world.texts.code
        self.world.clock.advance(590)
        self.create()  # makes room, by dropping what is over
        self.client().call("verification.submit", **self.submitted(verification, code))

    def test_unknown(self) -> None:
        """Ids that were never given out are answered like those that are over."""
        for name in ("x", "A" * 22, "A" * 64):
            self.refused("verification_over", "verification.request", verification=name)
            self.refused_submission("verification_over", name, "000000")
        for name in ("", "A" * 65):
            self.refused("invalid_params", "verification.request", verification=name)

    def test_once(self) -> None:
        """What has let somebody in lets nobody in again, from wherever it is shown."""
        verification, code = self.sent()
        params = self.submitted(verification, code)
        self.client("203.0.113.1").call("verification.submit", **params)
        for host in ("203.0.113.1", "198.51.100.1"):
            self.refused("verification_over", "verification.submit", host, **params)
            self.refused("verification_over", "verification.request", host, verification=verification)

    def test_an_id_alone_is_nothing(self) -> None:
        """Whoever has seen an id and not the text has five tries, as for any number."""
        verification, code = self.sent()
        for number in range(TRIES):
            host = f"198.51.100.{number}"
            params = self.submitted(verification, wrong(code))
            expected = "wrong_code" if number < TRIES - 1 else "verification_over"
            self.refused(expected, "verification.submit", host, **params)

    def test_two_at_once(self) -> None:
        """While a right code is being made good of, nothing else is taken for it."""
        self.world.pool.hold = True
        verification, code = self.sent()
        client = self.client()
        asked = client.ask("verification.submit", **self.submitted(verification, code))
        for digits in (code, wrong(code)):
            self.refused_submission("busy", verification, digits)
        self.refused("busy", "verification.request", verification=verification)
        self.world.pool.run()
        client.opened(client.answer(asked) or {})
        self.assertEqual(self.world.database.count("accounts"), 1)

    def test_a_restart(self) -> None:
        """Codes are gone with the process; a new verification does it."""
        verification, code = self.sent()
        self.world = World(self.world.database, self.world.vault)
        self.refused("verification_over", "verification.request", verification=verification)
        self.refused_submission("verification_over", verification, code)
        self.enter()

    def test_nothing_is_kept(self) -> None:
        """Neither number nor code is in the database in clear."""
        verification, code = self.sent()
        self.client().call("verification.submit", **self.submitted(verification, code))
        dump = "\n".join(self.world.database.connection.connection.driver_connection.iterdump())  # type: ignore[union-attr]
        for octets in (NUMBER.encode(), NUMBER[1:].encode(), code.encode(), PASSWORD.encode()):
            self.assertNotIn(octets.hex().upper(), dump.upper())
            self.assertNotIn(octets.decode(), dump)


STEPS = ("ready", "send", "sent", "not_sent", "check", "wrong", "proved", "refused", "end")


class MachineTests(NumberCase):
    @settings(max_examples=300)
    @given(
        st.lists(
            st.sampled_from(
                ["ready", "send", "sent", "not_sent", "check", "wrong", "proved", "refused", "end"]
            ),
            max_size=25,
        )
    )
    def test_every_order(self, steps: list[str]) -> None:
        """No order of steps proves anything without a code that was sent, or after the end."""
        core = Progress(NUMBER, 0.0)
        machine: VerificationMachine = new_verification(core)
        sent = ended = False
        for step in steps:
            arguments = (b"secret", 0.0, 0.0) if step == "sent" else ()
            try:
                getattr(machine, step)(*arguments)
            except Problem as problem:
                if ended:
                    self.assertIs(problem.code, Code.VERIFICATION_OVER)
                continue
            except Exception:
                continue
            self.assertFalse(ended and step != "end", step)
            sent = sent or step == "sent"
            ended = ended or step == "end"
            if step in ("check", "proved", "wrong"):
                self.assertTrue(sent)
                self.assertEqual(core.secret, b"secret")
            if ended:
                self.assertEqual(core.secret, b"")
