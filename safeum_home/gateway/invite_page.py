"""The pages behind the links of invites and groups: they say how to use the link, and hold nothing of it.

The code is the link's fragment, which a browser does not send. There is no script, and nothing comes
from elsewhere.
"""

from base64 import b64encode
from hashlib import sha256
from html import escape

from twisted.web.resource import Resource
from twisted.web.server import Request

_STYLE = (
    "body{font:1.1rem/1.5 system-ui,sans-serif;max-width:38rem;margin:3rem auto;padding:0 1rem;"
    "color:#222;background:#fff}"
    "code{background:#eee;padding:.1rem .3rem;border-radius:.2rem;overflow-wrap:anywhere}"
    "@media(prefers-color-scheme:dark){body{color:#ddd;background:#111}code{background:#333}}"
)
_STYLE_HASH = b64encode(sha256(_STYLE.encode()).digest()).decode()
_POLICY = (
    f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
).encode()
_FRAME = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
{body}<p>Your browser has not sent the part behind the <code>#</code> to anybody, this node included.</p>
</body>
</html>
"""
_INVITE = """\
<h1>You are invited to {node}</h1>
<p>The address of this page, with all that stands behind the <code>#</code>, is your invite: it lets you
make an account on this node. Keep it to yourself until you have used it.</p>
<ol>
<li>Copy the whole address of this page.</li>
<li>Start a client, such as <code>safeum chat --node {node}</code>, and choose to sign up.</li>
<li>Paste the address where you are asked for an invite.</li>
</ol>
"""
_GROUP = """\
<h1>You can join a group on {node}</h1>
<p>The address of this page, with all that stands behind the <code>#</code>, is the group's link: whoever
has it can join.</p>
<ol>
<li>Copy the whole address of this page.</li>
<li>Log in with a client, such as <code>safeum chat --node {node}</code>.</li>
<li>Enter <code>/join</code>, and behind it the address.</li>
</ol>
"""


class _Page(Resource):
    isLeaf = True

    def __init__(self, node: str, title: str, body: str) -> None:
        super().__init__()
        name = escape(node)
        self._page = _FRAME.format(
            title=title.format(node=name), body=body.format(node=name), style=_STYLE
        ).encode()

    def render_GET(self, request: Request) -> bytes:
        request.setHeader(b"Content-Type", b"text/html; charset=utf-8")
        request.setHeader(b"Content-Security-Policy", _POLICY)
        request.setHeader(b"Referrer-Policy", b"no-referrer")
        return self._page


class InvitePage(_Page):
    """`GET /invite`."""

    def __init__(self, node: str) -> None:
        super().__init__(node, "An invite to {node}", _INVITE)


class GroupPage(_Page):
    """`GET /group`."""

    def __init__(self, node: str) -> None:
        super().__init__(node, "A group on {node}", _GROUP)
