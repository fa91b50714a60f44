"""A connection of the way out. Twisted's own takes as many header fields as come, of any answer or none."""

from typing import Any

from twisted.internet.interfaces import IAddress
from twisted.logger import Logger, LogPublisher
from twisted.python.failure import Failure
from twisted.web._newclient import BODY, HTTP11ClientProtocol
from twisted.web.client import HTTPConnectionPool

from safeum_home.outgoing.answers import TOO_LONG, NoAnswer

LONGEST_HEAD = 32 * 1024
"""Octets before a body: the header fields, and those of interim answers (RFC 9110 section 15.2) with them."""

_SILENT = Logger(observer=LogPublisher())


class BoundedConnection(HTTP11ClientProtocol):
    """Ends where an answer does not come to its body."""

    transport: Any
    _head = 0

    def request(self, request: Any) -> Any:
        self._head = 0
        answered = super().request(request)
        if self._parser is not None:
            # It would write a line for every interim answer.
            self._parser._log = _SILENT
        return answered

    def dataReceived(self, data: bytes) -> None:
        parser = self._parser
        if parser is not None and parser.state != BODY:
            # What a read brings beyond the head is no more than a read brings.
            if self._head > LONGEST_HEAD:
                self._giveUp(Failure(NoAnswer(TOO_LONG)))
                # Losing it would wait for the peer, who is the one that does not stop.
                self.transport.abortConnection()
                return
            self._head += len(data)
        super().dataReceived(data)


class ConnectionFactory(HTTPConnectionPool._factory):  # type: ignore[misc, valid-type]
    """Does not write into the log that a connection begins and ends."""

    noisy = False

    def buildProtocol(self, addr: IAddress | None) -> BoundedConnection:
        return BoundedConnection(self._quiescentCallback)
