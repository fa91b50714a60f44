"""The yardstick: a bare relay on stock autobahn, Twisted and pyOpenSSL (TLS 1.3). It stores nothing.

`python -m bench.relay` listens on an ephemeral port of the loopback interface and says where, with
the certificate to trust, in one line of JSON. A connection's first message names its pair and is echoed;
what either of a pair sends then is forwarded to the other as it is, and what comes from one in the room
to all others, framed once. With `--fast` the gateway's direct path
takes the place of autobahn's frames: it shows what the generator can do.
"""

import json
import sys
from typing import Any

from autobahn.twisted.websocket import WebSocketServerFactory, WebSocketServerProtocol
from cryptography.hazmat.primitives.serialization import Encoding
from OpenSSL.crypto import X509, PKey
from twisted.internet.ssl import CertificateOptions, TLSVersion

from bench.certificate import self_signed
from safeum_home.protocol import SUBPROTOCOL

ROOM = b"room"
"""What a connection says first to be in the room, where all hear what any of them sends."""


class Stock(WebSocketServerProtocol):  # type: ignore[misc]  # autobahn has no types
    """A connection as autobahn has it, with every option as it is when nothing is asked for."""

    partner: "Stock | None" = None
    room: "list[Stock] | None" = None

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        if self.partner is not None:
            self.partner.sendMessage(payload, isBinary)
            return
        if self.room is not None:
            prepared = self.factory.prepareMessage(payload, isBinary)
            for other in self.room:
                if other is not self:
                    other.sendPreparedMessage(prepared)
            return
        if payload == ROOM:
            self.room = self.factory.room
            self.room.append(self)
        else:
            meet(self.factory.waiting, payload, self)
        self.sendMessage(payload)

    def onClose(self, wasClean: bool, code: int | None, reason: str | None) -> None:
        if self.room is not None:
            self.room.remove(self)


def meet(waiting: dict[bytes, Any], name: bytes, newcomer: Any) -> None:
    """Make a pair of two that gave the same name."""
    partner = waiting.pop(name, None)
    if partner is None:
        waiting[name] = newcomer
    else:
        newcomer.partner, partner.partner = partner, newcomer


def main() -> None:
    # This is a process's composition root; Twisted itself has no type for the reactor there.
    from twisted.internet import reactor as installed

    reactor: Any = installed
    if "--fast" in sys.argv[1:]:
        from bench import fast  # the yardstick itself needs nothing of the gateway

        factory = fast.factory(reactor)
    else:
        factory = WebSocketServerFactory(reactor=reactor, protocols=[SUBPROTOCOL])
        factory.protocol = Stock
        factory.waiting, factory.room = {}, []
    key, certificate = self_signed()
    tls = CertificateOptions(
        privateKey=PKey.from_cryptography_key(key),
        certificate=X509.from_cryptography(certificate),
        raiseMinimumTo=TLSVersion.TLSv1_3,
    )
    port = reactor.listenSSL(0, factory, tls, interface="127.0.0.1", backlog=1024)
    pem = certificate.public_bytes(Encoding.PEM).decode()
    print(json.dumps({"port": port.getHost().port, "certificate": pem}), flush=True)
    reactor.run()


if __name__ == "__main__":
    main()
