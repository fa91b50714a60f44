"""Requests between nodes, signed as RFC 9421 has it (HTTP Message Signatures), in one profile.

Covered are, in this order, `COMPONENTS`; the parameters are `created`, `nonce`, `keyid`, `alg` and `tag`, in
any order and no others. The body is covered by its digest (RFC 9530), so that the signature can be verified
before a body is taken in. Other signatures beside it, of proxies for instance, are left alone: ours is the
one with the tag `TAG`.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from hmac import compare_digest
from secrets import token_urlsafe
from typing import Any

import http_sf
from twisted.web.http_headers import Headers

from safeum_home.errors import Code, Problem
from safeum_home.ids import node_name
from safeum_home.ports import NodeSigner
from safeum_home.protocol.federation.signed import KEY_ID_PATTERN, SIGNATURE_SIZE, is_node_name, is_signed_by

TAG = "safeum-federation"
ALGORITHM = "ed25519"
LABEL = "safeum"
"""What our own signatures are called; those of others may be called otherwise."""
ORIGIN, DESTINATION = "Safeum-Origin", "Safeum-Destination"
DIGEST, INPUT, SIGNATURE = "Content-Digest", "Signature-Input", "Signature"
COMPONENTS = ("@method", "@request-target", "content-digest", "safeum-origin", "safeum-destination")
PARAMETERS = frozenset(("created", "nonce", "keyid", "alg", "tag"))
LONGEST_FIELD = 4096
LONGEST_TARGET = 2048
_NONCE = re.compile(r"[A-Za-z0-9_-]{22,64}")
"""128 random bits or more, in base64url."""
_KEY_ID = re.compile(KEY_ID_PATTERN)
_METHOD = re.compile(r"[A-Z]{1,16}")
_TARGET = re.compile(r"/[!-~]*")
_VISIBLE = re.compile(rb"[ -~]+")


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """What the head of a request says of itself. Nothing of it is true before `verify`."""

    origin: str
    destination: str
    key_id: str
    created: int
    """Seconds since 1970."""
    nonce: str
    digest: bytes
    """SHA-256 of the body, 32 octets."""
    base: bytes
    """What is signed: RFC 9421, section 2.5."""
    signature: bytes

    def verify(self, public_key: bytes) -> None:
        """Check the signature against a key of `origin` (32 octets); raises `Problem(bad_signature)`."""
        if not is_signed_by(public_key, self.base, self.signature):
            raise Problem(Code.BAD_SIGNATURE)

    def check_body(self, digest: bytes) -> None:
        """Compare the SHA-256 of the body that came; raises `Problem(bad_signature)`."""
        if not compare_digest(digest, self.digest):
            raise Problem(Code.BAD_SIGNATURE, "the body has another digest")


def signature_base(components: Iterable[tuple[str, str]], parameters: str) -> bytes:
    """RFC 9421, section 2.5. `parameters` is the serialised inner list with its parameters."""
    lines = [f'"{name}": {value}' for name, value in components]
    return "\n".join([*lines, f'"@signature-params": {parameters}']).encode("ascii")


def new_nonce() -> str:
    """128 random bits."""
    return token_urlsafe(16)


def sign_request(
    method: str,
    target: str,
    body: bytes,
    *,
    origin: str,
    destination: str,
    key_id: str,
    signer: NodeSigner,
    created: int,
    nonce: str,
) -> dict[str, str]:
    """The header fields that sign a request. `target` is path and query as they go over the wire.

    `created` is in seconds since 1970. Raises ValueError for what `read_request` would refuse, and `Erased`.
    """
    if not _METHOD.fullmatch(method) or not _TARGET.fullmatch(target) or len(target) > LONGEST_TARGET:
        raise ValueError("not a method, or not a target in origin form")
    if not _NONCE.fullmatch(nonce) or not _KEY_ID.match(key_id):
        raise ValueError("not a nonce, or not the id of a key")
    digest = str(http_sf.ser({"sha-256": sha256(body).digest()}))
    values = (method, target, digest, node_name(origin), node_name(destination))
    named: dict[str, Any] = {
        "created": created,
        "nonce": nonce,
        "keyid": key_id,
        "alg": ALGORITHM,
        "tag": TAG,
    }
    covered: Any = ([(name, {}) for name in COMPONENTS], named)
    parameters = _serialised(covered)
    signature = signer.sign(signature_base(zip(COMPONENTS, values, strict=True), parameters))
    return {
        ORIGIN: values[3],
        DESTINATION: values[4],
        DIGEST: digest,
        INPUT: f"{LABEL}={parameters}",
        SIGNATURE: str(http_sf.ser({LABEL: signature})),
    }


def read_request(method: bytes, target: bytes, headers: Headers) -> SignedRequest:
    """What a request says of itself, before its body is taken in.

    `target` is what stood in the request line. Raises `Problem(bad_signature)` for everything that is not
    in the profile.
    """
    try:
        names = method.decode("ascii"), target.decode("ascii")
    except UnicodeDecodeError:
        raise _bad("the request line") from None
    if not _METHOD.fullmatch(names[0]) or not _TARGET.fullmatch(names[1]) or len(target) > LONGEST_TARGET:
        raise _bad("the request line")
    fields = {name: _field(headers, name) for name in (ORIGIN, DESTINATION, DIGEST, INPUT, SIGNATURE)}
    label, covered = _our_input(fields[INPUT])
    values = (*names, fields[DIGEST], fields[ORIGIN], fields[DESTINATION])
    created, nonce, key_id = _parameters(covered[1])
    return SignedRequest(
        _node(fields[ORIGIN]),
        _node(fields[DESTINATION]),
        key_id,
        created,
        nonce,
        _octets(fields[DIGEST], "sha-256", 32),
        signature_base(zip(COMPONENTS, values, strict=True), _serialised(covered)),
        _octets(fields[SIGNATURE], label, SIGNATURE_SIZE),
    )


def _field(headers: Headers, name: str) -> str:
    lines = headers.getRawHeaders(name.encode("ascii"), [])
    octets = lines[0].strip(b" \t") if len(lines) == 1 else b""
    if len(octets) > LONGEST_FIELD or not _VISIBLE.fullmatch(octets):
        raise _bad(name)
    return octets.decode("ascii")


def _our_input(text: str) -> tuple[str, Any]:
    """Label and inner list of the one signature that has our tag."""
    ours = [
        (label, (members, parameters))
        for label, (members, parameters) in _dictionary(text).items()
        if isinstance(members, list) and parameters.get("tag") == TAG
    ]
    if len(ours) != 1:
        raise _bad("one signature with this tag is needed")
    label, (members, parameters) = ours[0]
    if [(type(name), name, of_it) for name, of_it in members] != [(str, name, {}) for name in COMPONENTS]:
        raise _bad("not these components are covered")
    return label, (members, parameters)


def _parameters(named: dict[str, Any]) -> tuple[int, str, str]:
    created, nonce, key_id = named.get("created"), named.get("nonce"), named.get("keyid")
    if named.keys() != PARAMETERS or named["alg"] != ALGORITHM:
        raise _bad("not these parameters are needed")
    if type(named["alg"]) is not str or type(named["tag"]) is not str:
        raise _bad("a parameter has another type")
    if type(created) is not int or type(nonce) is not str or type(key_id) is not str:
        raise _bad("a parameter has another type")
    if created < 0 or not _NONCE.fullmatch(nonce) or not _KEY_ID.match(key_id):
        raise _bad("a parameter is malformed")
    return created, nonce, key_id


def _octets(text: str, label: str, size: int) -> bytes:
    octets, _ = _dictionary(text).get(label, (b"", None))
    if not isinstance(octets, bytes) or len(octets) != size:
        raise _bad("octets are missing, or are not as many as they should be")
    return octets


def _node(text: str) -> str:
    if not is_node_name(text):
        raise _bad("a node's name")
    return text


def _dictionary(text: str) -> dict[str, Any]:
    try:
        parsed: dict[str, Any] = dict(
            http_sf.parse(text.encode("ascii"), tltype="dictionary", on_duplicate_key=_refuse)  # type: ignore[arg-type]
        )
    except http_sf.StructuredFieldError:
        raise _bad("a structured field") from None
    return parsed


def _refuse(key: str, context: str) -> None:
    raise _bad("a member that is there twice")


def _serialised(covered: Any) -> str:
    """An inner list with its parameters, in the one form of RFC 9651, section 4.1.1.1."""
    return str(http_sf.ser([covered]))


def _bad(what: str) -> Problem:
    return Problem(Code.BAD_SIGNATURE, f"malformed: {what}")
