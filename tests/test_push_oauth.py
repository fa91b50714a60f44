"""Access tokens: fetched once for all, kept for their time, replaced when they are refused."""

from typing import Any
from urllib.parse import parse_qs

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.http_headers import Headers

from bridges.push import oauth
from bridges.push.oauth import NO_CREDENTIALS, NOT_UNDERSTOOD, Access, AccessTokens, Grant, NotNow
from safeum_home.errors import Code, Problem, Tampered
from safeum_home.outgoing.answers import IN_TIME, TOO_MANY, NoAnswer
from safeum_home.outgoing.http import Answer
from safeum_home.ports.push import Refused, Temporary

FORM = {"grant_type": "client_credentials", "client_secret": "a&b=c +é"}


class Login:
    """A login service that answers when a test says so."""

    def __init__(self) -> None:
        self.asked: list[Deferred[Answer]] = []
        self.requests: list[tuple[str, str, Any, bytes | None]] = []

    def request(self, method: str, path: str, headers: Any, body: bytes | None = None) -> "Deferred[Answer]":
        self.requests.append((method, path, headers, body))
        self.asked.append(Deferred())
        return self.asked[-1]

    def grants(self, token: str = "t", more: str = "") -> None:
        self.says(200, f'{{"access_token":"{token}","token_type":"Bearer"{more}}}')

    def says(self, status: int, body: str, **headers: str) -> None:
        fields = Headers({name.replace("_", "-"): [value] for name, value in headers.items()})
        self.asked.pop(0).callback(Answer(status, body.encode(), fields))


class TokenTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.clock.advance(1_800_000_000)
        self.login = Login()
        self.grant: Any = Grant("/token", FORM, "a project")
        self.credentials: Any = b"a&b=c"
        self.tokens = AccessTokens(self.clock, self.login, self.granted, self.opened)

    def opened(self) -> bytes:
        if isinstance(self.credentials, Exception):
            raise self.credentials
        return bytes(self.credentials)

    def granted(self) -> Grant:
        if isinstance(self.grant, Exception):
            raise self.grant
        grant: Grant = self.grant
        return grant

    def refused(self, wanted: "Deferred[Access]") -> Temporary | Refused:
        error = self.failureResultOf(wanted, NotNow).value
        self.assertNotIn("a&b", repr(error))
        outcome: Temporary | Refused = error.outcome
        return outcome

    def test_asked(self) -> None:
        """A form (RFC 6749, section 4.4.2), encoded so that it means what it meant."""
        wanted = self.tokens.current()
        ((method, path, headers, body),) = self.login.requests
        self.assertEqual((method, path), ("POST", "/token"))
        self.assertEqual(headers["Content-Type"], "application/x-www-form-urlencoded")
        assert body is not None
        self.assertEqual(parse_qs(body.decode()), {name: [value] for name, value in FORM.items()})
        self.login.grants("ey.J-_")
        access = self.successResultOf(wanted)
        self.assertEqual((access.header, access.whose), ("Bearer ey.J-_", "a project"))
        self.assertEqual(repr(access), "Access(whose='a project')")

    def test_once(self) -> None:
        """All that wait have one request, and all that come later have none."""
        waiting = [self.tokens.current() for _ in range(50)]
        self.login.grants()
        self.assertEqual(len({id(self.successResultOf(one)) for one in waiting}), 1)
        self.successResultOf(self.tokens.current())
        self.assertEqual(len(self.login.requests), 1)

    def test_life(self) -> None:
        """It is kept until shortly before its end: as the service says, or an hour, and a day at the most."""
        for said, life in (
            (',"expires_in":3599', 3599),
            (',"expires_in":"86399"', 86399),
            ("", 3600),
            (',"expires_in":null', 3600),
            (',"expires_in":999999999', 86400),
        ):
            first = self.tokens.current()
            self.login.grants("a", said)
            self.clock.advance(life - oauth.BEFORE_ITS_END - 1)
            self.assertIs(self.successResultOf(self.tokens.current()), self.successResultOf(first), said)
            self.clock.advance(1)
            second = self.tokens.current()
            self.assertNoResult(second)
            self.login.grants("b", ',"expires_in":0')
            self.assertEqual(self.successResultOf(second).header, "Bearer b")

    def test_replaced(self) -> None:
        """Other credentials are tried at once, however long the token of those before would be good."""
        first = self.tokens.current()
        self.login.grants("one")
        self.assertEqual(self.successResultOf(first).header, "Bearer one")
        for credentials in (b"others", Problem(Code.NOT_FOUND), b"others"):
            self.credentials = credentials
            self.clock.advance(1)
            asked = self.tokens.current()
            self.assertNoResult(asked)
            self.login.grants(repr(credentials)[:9])
            self.successResultOf(asked)
            self.clock.advance(1)
            self.successResultOf(self.tokens.current())

    def test_clock_set_back(self) -> None:
        """A token does not last for ever where the clock goes backwards."""
        first = self.tokens.current()
        self.login.grants()
        self.successResultOf(first)
        self.clock.rightNow -= 10 * 86400
        self.assertNoResult(self.tokens.current())

    def test_refused_once(self) -> None:
        """One that many have been refused with is replaced by one request."""
        first = self.tokens.current()
        self.login.grants("old")
        old = self.successResultOf(first)
        self.tokens.forget(old)
        waiting = self.tokens.current()
        self.tokens.forget(old)
        self.login.grants("new")
        self.tokens.forget(old)
        self.assertEqual(self.successResultOf(waiting).header, "Bearer new")
        self.assertEqual(self.successResultOf(self.tokens.current()).header, "Bearer new")
        self.assertEqual(len(self.login.requests), 2)

    def test_given_up(self) -> None:
        """Who gives up waiting ends nothing for the others, and all of them together do not, either."""
        one, other = self.tokens.current(), self.tokens.current()
        one.cancel()
        self.failureResultOf(one, CancelledError)
        other.cancel()
        self.failureResultOf(other, CancelledError)
        third = self.tokens.current()
        self.login.grants()
        self.successResultOf(third)
        self.assertEqual(len(self.login.requests), 1)

    def test_given_up_by_another(self) -> None:
        """Who hears of a token may have others give up."""
        others: list[Deferred[Access]] = []

        def give_up(access: Access) -> Access:
            for one in others:
                one.cancel()
            return access

        first = self.tokens.current().addCallback(give_up)
        others += [self.tokens.current() for _ in range(3)]
        self.login.grants()
        self.successResultOf(first)
        for one in others:
            self.failureResultOf(one, CancelledError)

    def test_bound(self) -> None:
        """So many wait; one more is to come later."""
        self.patch(oauth, "MOST_WAITING", 2)
        waiting = [self.tokens.current() for _ in range(2)]
        self.assertEqual(self.refused(self.tokens.current()), Temporary(TOO_MANY))
        self.login.grants()
        for one in waiting:
            self.successResultOf(one)

    def test_refusals(self) -> None:
        """What the service refuses with (RFC 6749, section 5.2); what it says in words is told nobody."""
        later, refuses = "the login service is in trouble", "the login service refuses the request"
        for status, body, outcome in (
            *(
                (status, f'{{"error":"{code}","error_description":"a&b"}}', Refused(words, True))
                for status in (400, 401, 403)
                for code, words in (oauth._REFUSALS | {"new": refuses}).items()
            ),
            (400, '{"error":"temporarily_unavailable"}', Temporary(later)),
            (400, '{"error":"slow_down"}', Temporary(later)),
            (400, '{"error":7}', Refused(refuses, True)),
            (400, "[" * 9999, Refused(refuses, True)),
            (404, "", Refused(refuses, True)),
            (302, "", Refused("the login service is somewhere else: its URL is wrong", account_refused=True)),
            (204, "", Refused("the login service is somewhere else: its URL is wrong", account_refused=True)),
            (408, "", Temporary(later)),
            (429, '{"error":"invalid_client"}', Temporary(later)),
            (500, "<html>", Temporary(later)),
            (503, '{"error":"invalid_client"}', Temporary(later)),
        ):
            wanted = self.tokens.current()
            self.login.says(status, body)
            self.assertEqual(self.refused(wanted), outcome, (status, body[:50]))

    def test_retry_after(self) -> None:
        """It is passed on."""
        for status in (429, 503):
            wanted = self.tokens.current()
            self.login.says(status, "", Retry_After="40")
            self.assertEqual(self.refused(wanted), Temporary("the login service is in trouble", 40.0))

    def test_not_understood(self) -> None:
        """Success without a token that fits a header field is none."""
        for body in (
            "",
            "<html>",
            "[]",
            "[" * 9999,
            '{"token_type":"Bearer"}',
            '{"access_token":"t"}',
            '{"access_token":"","token_type":"Bearer"}',
            '{"access_token":"t\\r\\nX: y","token_type":"Bearer"}',
            '{"access_token":"t t","token_type":"Bearer"}',
            '{"access_token":"t","token_type":"mac"}',
            '{"access_token":"t","token_type":"Bearer","expires_in":"soon"}',
            '{"access_token":"t","token_type":"Bearer","expires_in":1e400}',
            '{"access_token":"' + "t" * 8193 + '","token_type":"Bearer"}',
        ):
            wanted = self.tokens.current()
            self.login.says(200, body)
            self.assertEqual(self.refused(wanted), Temporary(NOT_UNDERSTOOD), body[:60])

    def test_unreachable(self) -> None:
        """No answer is a matter of time, and is told to all that wait."""
        waiting = [self.tokens.current() for _ in range(3)]
        self.login.asked.pop().errback(NoAnswer(IN_TIME))
        for one in waiting:
            self.assertEqual(self.refused(one), Temporary(IN_TIME))
        self.assertNoResult(self.tokens.current())

    def test_no_credentials(self) -> None:
        """Nobody is asked without them."""
        for error in (Problem(Code.NOT_FOUND), Tampered()):
            self.grant = error
            found = self.refused(self.tokens.current())
            self.assertEqual(found, Refused(NO_CREDENTIALS, account_refused=True))
        self.assertEqual(self.login.requests, [])

    def test_defect(self) -> None:
        """A defect holds nobody up, and what it says is in no log."""
        self.grant = KeyError("a&b")
        self.assertIsInstance(self.refused(self.tokens.current()), Temporary)
        self.assertEqual(self.flushLoggedErrors(), [])
        self.grant = Grant("/token", FORM)
        wanted = self.tokens.current()
        self.login.grants()
        self.successResultOf(wanted)
