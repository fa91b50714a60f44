"""Values of docs/federation.md for those who write a node: made by the code, from a key that is no secret."""

import json
from typing import Any

from twisted.web.http_headers import Headers

from federation.signatures import COMPONENTS, read_request, sign_request
from safeum_home.ids import AccountId, direct_chat_id
from safeum_home.protocol.federation.events import new_event, read_event, sign_event, signed_octets
from safeum_home.protocol.federation.keys import write_document
from safeum_home.protocol.federation.signed import base64
from safeum_home.sealing.federation import FederationKeys
from safeum_home.sealing.memory import Arena, Level

PARENT = bytes(range(32))
NODE, OTHER = "b.example", "a.example"
AT = 1_750_000_000_000
BODY = b'{"events":[]}'
TARGET = "/_safeum/federation/v1/transactions/AAECAwQFBgcICQoLDA0ODw/7"


def text() -> str:
    """The document, as it stands in docs/federation-vectors.json."""
    slot = Arena(floor=Level.UNLOCKED).slot()
    slot.view()[:] = PARENT
    keys = FederationKeys(slot)
    try:
        return json.dumps(_values(keys), indent=2) + "\n"
    finally:
        keys.wipe()


def _values(keys: FederationKeys) -> dict[str, Any]:
    in_use = keys.signer(2)
    document = write_document(
        NODE, AT + 86_400_000, {"ed25519:2": in_use}, {"ed25519:1": (keys.public_key(1), AT - 1000)}
    )
    ann, bob = AccountId("@" + "a" * 26 + ":" + NODE), AccountId("@" + "b" * 26 + ":" + OTHER)
    chat = direct_chat_id(ann, bob)
    content = {"body": {"kind": "text", "text": 'Grüße, "Bob" \u2028 \U0001f600'}, "sent": AT}
    event = sign_event(new_event("chat.message", ann, AT, content, chat, "m1"), "ed25519:2", in_use)
    fields = sign_request(
        "PUT",
        TARGET,
        BODY,
        origin=NODE,
        destination=OTHER,
        key_id="ed25519:2",
        signer=in_use,
        created=AT // 1000,
        nonce="AAECAwQFBgcICQoLDA0ODw",
    )
    head = Headers({name: [value] for name, value in fields.items()})
    return {
        "about": "Values of docs/federation.md. Keys in hexadecimal, unless they stand in JSON or in fields.",
        "keys": {
            "parent": PARENT.hex(),
            "public": {f"ed25519:{number}": keys.public_key(number).hex() for number in (1, 2)},
        },
        "document": document.decode(),
        "chat": {"accounts": [bob, ann], "hashed": f"{ann}\n{bob}", "personal": "safeum chat v1", "id": chat},
        "event": {
            "octets": event.decode(),
            "signed": signed_octets(read_event(event)).decode(),
            "signature": base64(in_use.sign(signed_octets(read_event(event)))),
        },
        "request": {
            "method": "PUT",
            "target": TARGET,
            "body": BODY.decode(),
            "components": list(COMPONENTS),
            "fields": fields,
            "base": read_request(b"PUT", TARGET.encode(), head).base.decode(),
        },
    }
