"""Being woken: where a push provider reaches a device, so that it can sleep while nobody uses it."""

from typing import Annotated

from msgspec import Meta, Struct

from safeum_home.protocol.command import Done, Params, Result, command

PushToken = Annotated[
    str,
    Meta(
        pattern=r"^[!-~]{1,2048}$(?!\n)",
        max_length=2048,
        description="As the provider gave it: a token, a channel URI (WNS) or an endpoint (Web Push).",
    ),
]
ProviderName = Annotated[str, Meta(min_length=1, max_length=64, description="As in `push.providers`.")]


class OfferedProvider(Struct, frozen=True):
    """A push provider of this node.

    `kind` is `apns`, `fcm`, `wns`, `webpush`, or one of the node's own. `application_key` is what the client
    needs for subscribing (Web Push: the VAPID public key, RFC 8292), base64url.
    """

    name: str
    kind: str
    application_key: str | None = None


class ProviderList(Result, frozen=True):
    providers: list[OfferedProvider]


@command("push.providers", ProviderList, activity=False)
class PushProviders(Params, frozen=True):
    """The push providers of this node."""


class PushKeys(Struct, frozen=True, forbid_unknown_fields=True):
    """Web Push: what is encrypted for (RFC 8291, section 3), both base64url without padding."""

    p256dh: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{87}$(?!\n)", max_length=87, description="65 octets")]
    auth: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{22}$(?!\n)", max_length=22, description="16 octets")]


@command("push.set", Done, cost=2)
class PushSet(Params, frozen=True):
    """Have this device woken there from now on, in place of where it was before.

    Whichever device was woken there until now, of any account, is so no more. `call_token` is where calls
    have a token of their own (APNs: PushKit's).
    """

    provider: ProviderName
    token: PushToken
    call_token: PushToken | None = None
    keys: PushKeys | None = None


@command("push.remove", Done)
class PushRemove(Params, frozen=True):
    """Have this device not woken any more."""


class PushState(Result, frozen=True):
    """`provider` is None where this device is not woken: it never asked for it, or its token is dead."""

    provider: str | None


@command("push.get", PushState, activity=False)
class PushGet(Params, frozen=True):
    """Whether this device is woken, and by which provider."""
