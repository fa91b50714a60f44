"""What every provider over HTTP makes of the failures that all of them have."""

from typing import Any, ClassVar

from bridges.answers import LONGEST_WAIT
from safeum_home.ports.sms import Permanent, Temporary
from tests.sms_case import NO_SECRET, NOW, Scripted, SmsCase


class FailureCase:
    """Mixed into the test of a provider, which has a method `provider` that makes one for a resource."""

    wrong_success: ClassVar[int]
    """A status of success that the provider does not document, or an answer of success without a meaning."""

    def outcome(self: Any, status: int, body: bytes = b"", **headers: str) -> object:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return SmsCase.send(self, self.provider(Scripted(status, body, named)))

    def test_statuses(self: Any) -> None:
        """Without a body that says more, the status alone decides."""
        credentials = Permanent("the provider refuses the credentials", account_refused=True)
        refuses = Permanent("the provider refuses the message")
        elsewhere = Permanent("the provider is somewhere else: its URL is wrong", account_refused=True)
        failure = Temporary("the provider has a failure")
        for status, wanted in {
            301: elsewhere,
            302: elsewhere,
            307: elsewhere,
            400: refuses,
            401: credentials,
            402: Permanent("the provider wants to be paid", account_refused=True),
            403: credentials,
            404: Permanent("the provider does not know the resource", account_refused=True),
            405: refuses,
            408: Temporary("the provider gave up waiting for the request"),
            409: refuses,
            422: refuses,
            429: Temporary("the provider asks for fewer requests"),
            500: failure,
            502: failure,
            503: failure,
            504: failure,
            599: failure,
        }.items():
            for body in (b"", b"<html>", b'{"code":"x"}', b'{"type":7}', b"\xff"):
                self.assertEqual(self.outcome(status, body, Location="https://elsewhere.example/"), wanted)

    def test_retry_after(self: Any) -> None:
        """Seconds and dates are read, and what is neither is not."""
        for text, wanted in {
            "7": 7.0,
            " 7 ": 7.0,
            "0": 0.0,
            "99999999999": LONGEST_WAIT,
            "9" * 400: LONGEST_WAIT,
            "-1": None,
            "7.5": None,
            "soon": None,
            "": None,
            "\u0667": None,
            "Fri, 15 Jan 2027 08:00:30 GMT": 30.0,
            "Fri, 15 Jan 2027 07:00:00 GMT": 0.0,
            "Fri, 15 Jan 9999 07:00:00 GMT": LONGEST_WAIT,
            "Fri, 99 Jan 2027 07:00:00 GMT": None,
        }.items():
            for status in (429, 503):
                found = self.outcome(status, Retry_After=text)
                self.assertIsInstance(found, Temporary)
                self.assertEqual(found.retry_after, wanted, text)
        self.assertEqual(NOW, 1_800_000_000)

    def test_success_that_is_none(self: Any) -> None:
        """An answer of success that says nothing is not taken for one."""
        for body in (b"", b"{}", b"[]", b"null", b"<html>ok</html>", b"\xff\xfe", b'{"sid":7}', b"[" * 5000):
            found = self.outcome(self.wrong_success, body)
            self.assertEqual(found, Temporary("the answer is not understood"), body)

    def test_too_long(self: Any) -> None:
        """An answer is read up to its cap."""
        self.assertEqual(self.outcome(200, b"x" * 65537), Temporary("the answer is too long"))

    def test_no_redirect_is_followed(self: Any) -> None:
        """The one request stays the only one."""
        resource = Scripted(307, headers={"Location": "/"})
        SmsCase.send(self, self.provider(resource))
        self.assertEqual(resource.asked, 1)

    def test_not_a_number(self: Any) -> None:
        """What is not E.164 is refused without a request."""
        resource = Scripted(500)
        for number in (
            "+",
            "123",
            "4915112345678",
            "+0123456789",
            "+49 151",
            "+4915112345678\n",
            "+1" * 9,
        ):
            found = SmsCase.send(self, self.provider(resource), number)
            self.assertEqual(found, Permanent("not a phone number", number_refused=True))
        self.assertEqual(resource.asked, 0)

    def test_no_secret(self: Any) -> None:
        """Without its credentials nothing is asked, and with them it goes on at once."""
        resource = Scripted(500)
        provider = self.provider(resource)
        kept, self.secrets = self.secrets, {}
        found = SmsCase.send(self, provider)
        self.assertEqual(found, NO_SECRET)
        self.assertEqual(resource.asked, 0)
        self.secrets, self.tampered = kept, True
        self.assertEqual(SmsCase.send(self, provider), found)
        self.tampered = False
        self.assertEqual(SmsCase.send(self, provider), Temporary("the provider has a failure"))
