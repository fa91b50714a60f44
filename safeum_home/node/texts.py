"""A node without a provider of text messages."""

from twisted.internet.defer import Deferred, fail

from safeum_home.errors import Code, Problem


class NoTextMessages:
    """`ports.TextMessages` where none is configured."""

    def send(self, number: str, text: str, host: str) -> "Deferred[None]":
        return fail(Problem(Code.SMS_UNAVAILABLE))
