"""An HTTP request, given to a site in memory."""

from collections.abc import Mapping

from twisted.internet.defer import Deferred
from twisted.internet.testing import StringTransport
from twisted.web.http_headers import Headers

from safeum_home.gateway.http import EdgeSite
from safeum_home.outgoing.http import Answer


class _Transport(StringTransport):
    """Tells when an answer is complete."""

    def __init__(self, answered: "Deferred[Answer]") -> None:
        super().__init__()
        self._answered = answered

    def write(self, data: bytes) -> None:
        super().write(data)
        head, end, body = self.value().partition(b"\r\n\r\n")
        lines = head.split(b"\r\n")
        fields = {
            name.lower(): value.strip() for name, _, value in (each.partition(b":") for each in lines[1:])
        }
        if end and len(body) >= int(fields.get(b"content-length", b"0")) and not self._answered.called:
            status = int(lines[0].split()[1])
            told = Headers({name: [value] for name, value in fields.items()})
            self._answered.callback(Answer(status, body, told))


def send(
    site: EdgeSite,
    method: str,
    path: str,
    body: bytes,
    fields: Mapping[str, str],
    whole: bool = True,
    chunked: bool = False,
) -> "Deferred[Answer]":
    """Give a request to a site, octet for octet; its answer. `whole`: the body too.

    `chunked`: without its length, in chunks (RFC 9112, section 7.1), and without an end.
    """
    answered: Deferred[Answer] = Deferred()
    channel = site.buildProtocol(None)
    channel.makeConnection(_Transport(answered))
    length = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {len(body)}"
    lines = [f"{method} {path} HTTP/1.1", "Host: node", length]
    lines += [f"{name}: {value}" for name, value in fields.items()]
    channel.dataReceived("\r\n".join([*lines, "", ""]).encode())
    if whole:
        for start in range(0, len(body), 65536):
            part = body[start : start + 65536]
            channel.dataReceived(b"%x\r\n%b\r\n" % (len(part), part) if chunked else part)
    return answered
