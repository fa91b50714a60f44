"""Signed tokens of Janus (`token_auth_secret`): good for a while, and for one plugin."""

import hmac
from base64 import b64encode

from bridges.safenum.janus.requests import PLUGIN

SECONDS = 120
"""For how long one is good: each request has a fresh one."""


def signed(secret: bytes, now: float) -> str:
    """`<expiry>,janus,<plugin>:<HMAC-SHA1 of that, in base64>`; `now` in seconds since 1970."""
    text = f"{int(now) + SECONDS},janus,{PLUGIN}"
    return f"{text}:{b64encode(hmac.digest(secret, text.encode(), 'sha1')).decode()}"
