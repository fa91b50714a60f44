"""Values of docs/calls.md for those who write a client: made by the code, from keys that are no secret."""

import json
from hashlib import sha256
from typing import Any

from safeum_home.client.calling import handshake, payloads
from safeum_home.client.calling.handshake import Pair, Shown
from safeum_home.client.calling.payloads import Candidate, Control, Description, DescriptionKind
from safeum_home.client.calling.sealed import Direction, Sealer, filled
from safeum_home.client.sas import words
from safeum_home.client.secret import Secret, Signing
from safeum_home.protocol.signing import encode_octets

PAIR = Pair(
    encode_octets(bytes(range(16))),
    "conference",
    *("@aaaaaaaaaaaaaaaaaaaaaaaaaa:a.example", "Dbbbbbbbbbbbbbbbb"),
    *("@cccccccccccccccccccccccccc:b.example", "Ddddddddddddddddd", "!eeeeeeeeeeeeeeeeeeeeeeeeee"),
)
SDP = "v=0\r\na=fingerprint:sha-256 00:01:02\r\n"


def text() -> str:
    """The document, as it stands in docs/call-vectors.json."""
    return json.dumps(_values(), indent=2, ensure_ascii=False) + "\n"


def _octets(first: int) -> bytes:
    return bytes(range(first, first + 32))


def _values() -> dict[str, Any]:
    signs = Signing(_octets(0)), Signing(_octets(32))
    ephemerals = Secret.of(_octets(64)), Secret.of(_octets(96))
    nonces = _octets(128), _octets(160)
    initiator, responder = (
        Shown(sign.public, secret.public(), nonce)
        for sign, secret, nonce in zip(signs, ephemerals, nonces, strict=True)
    )
    other = Shown(signs[0].public, Secret.of(_octets(192)).public(), _octets(224))
    hello = handshake.commitments([other, initiator])
    response_signed = handshake.response_octets(PAIR, hello, responder)
    response = handshake.response(responder, signs[1].sign(response_signed))
    transcript = handshake.transcript_octets(PAIR, hello, response, 1, initiator)
    agreed = handshake.agree(ephemerals[0], responder.ephemeral, transcript)
    theirs = handshake.agree(ephemerals[1], initiator.ephemeral, transcript)
    assert agreed.words == theirs.words
    people = words(agreed.words)
    return {
        "about": "Values of docs/calls.md. Private keys and nonces in hexadecimal; \\u0000 ends a tag.",
        "private": {
            "initiator": _private(0, 64, 128),
            "other": {"ephemeral": _octets(192).hex(), "nonce": _octets(224).hex()},
            "responder": _private(32, 96, 160),
        },
        "pair": PAIR._asdict(),
        "hello": encode_octets(hello),
        "response_signed": response_signed.decode(),
        "response": encode_octets(response),
        "reveal_signed": transcript.decode(),
        "reveal": encode_octets(handshake.reveal(1, initiator, signs[0].sign(transcript))),
        "transcript": encode_octets(agreed.transcript),
        "words": {
            "octets": agreed.words.hex(),
            "emoji": [each.name for each in people.emoji],
            "numbers": list(people.numbers),
        },
        **_said(agreed, signs),
    }


def _private(sign: int, ephemeral: int, nonce: int) -> dict[str, str]:
    return {
        "sign": _octets(sign).hex(),
        "ephemeral": _octets(ephemeral).hex(),
        "nonce": _octets(nonce).hex(),
    }


def _said(agreed: handshake.Agreed, signs: tuple[Signing, Signing]) -> dict[str, Any]:
    """What is sealed, first by the one and then by the other."""
    hashed = encode_octets(sha256(SDP.encode()).digest())
    signed = payloads.description_octets(encode_octets(agreed.transcript), DescriptionKind.OFFER, 0, hashed)
    offer = Description(DescriptionKind.OFFER, 0, SDP, encode_octets(signs[0].sign(signed)))
    sealers = (
        Sealer(agreed.initiators, Direction(PAIR.call, True)),
        Sealer(agreed.responders, Direction(PAIR.call, False)),
    )
    said = (
        (0, Control(False, True)),
        (0, offer),
        (1, Candidate(0, "candidate:1 1 udp 1 192.0.2.1 9 typ host")),
    )
    return {
        "offer_signed": signed.decode(),
        "signals": [
            {
                "by": ("initiator", "responder")[who],
                "said": payloads.encode(payload).decode(),
                "size": len(filled(payloads.encode(payload))),
                "signal": sealers[who].seal(payloads.encode(payload)),
            }
            for who, payload in said
        ],
    }
