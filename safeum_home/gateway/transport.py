"""TLS under a client's connection: Twisted's, with a shorter way for what happens with every message.

Twisted's `TLSMemoryBIOProtocol` hands each record to the reactor, which waits for the socket to become
writable, although it nearly always is; and it learns that there is nothing more to read, or to send,
from exceptions. Here a record goes to the socket at once where nothing waits before it, and OpenSSL is
asked through pyOpenSSL's own binding. Handshake, shutdown and errors are Twisted's.
"""

from typing import TYPE_CHECKING, Any

from cryptography.hazmat.bindings.openssl.binding import Binding
from twisted.internet.interfaces import ITransport
from twisted.internet.protocol import connectionDone
from twisted.internet.tcp import Connection
from twisted.protocols.tls import TLSMemoryBIOProtocol
from twisted.python.failure import Failure

from safeum_home.gateway.timers import Timeout

if TYPE_CHECKING:
    from safeum_home.gateway.edge import EdgeFactory

# The binding of `cryptography` that pyOpenSSL itself is made of.
lib, ffi = Binding.lib, Binding.ffi
_SIZE = 2**15
# One for all connections: whatever is read is copied out of it before anything else runs.
_buffer = ffi.new("char[]", _SIZE)
_view = ffi.buffer(_buffer)
_read, _bio_read, _get_error = lib.SSL_read, lib.BIO_read, lib.SSL_get_error
_WANT_READ: int = lib.SSL_ERROR_WANT_READ


class EdgeTransport(TLSMemoryBIOProtocol):
    """TLS, with an end to every closing: a peer that does not take part in it is cut off."""

    factory: "EdgeFactory"
    host = ""
    _cut: Timeout | None = None
    _tlsConnection: Any

    def makeConnection(self, transport: ITransport) -> None:
        if isinstance(transport, Connection):
            # Answers are small and leave once in a turn: holding them back (RFC 896) would only delay them.
            transport.setTcpNoDelay(True)
        super().makeConnection(transport)

    def loseConnection(self) -> None:
        if self._cut is None and self.connected:
            edge = self.factory
            self._cut = edge.timeouts.call_later(edge.limits.close_timeout, self.abortConnection)
        super().loseConnection()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if self._cut is not None:
            self._cut.cancel()
        self.factory.connections.release(self.host)
        super().connectionLost(reason)

    def _flushReceiveBIO(self) -> None:
        tls = self._tlsConnection
        while not self._lostTLSConnection:
            size = _read(tls._ssl, _buffer, _SIZE)
            if size <= 0:
                if _get_error(tls._ssl, size) == _WANT_READ:
                    break
                # Rare: let Twisted run into it, and deal with it.
                super()._flushReceiveBIO()
                return
            if not self._aborted:
                self.wrappedProtocol.dataReceived(_view[:size])
        self._flushSendBIO()

    def _flushSendBIO(self) -> None:
        size = _bio_read(self._tlsConnection._from_ssl, _buffer, _SIZE)
        if size > 0:
            self._put(_view[:size])

    def _put(self, record: bytes) -> None:
        """Send at once what can be; the transport takes care of the rest, and of a broken socket."""
        tcp: Any = self.transport
        if not isinstance(tcp, Connection):
            tcp.write(record)
            return
        if not tcp.dataBuffer and not tcp._tempDataBuffer and tcp.connected and not tcp.disconnecting:
            try:
                sent = tcp.socket.send(record)
            except OSError:
                sent = 0
            if sent == len(record):
                return
            record = record[sent:]
        tcp.write(record)
