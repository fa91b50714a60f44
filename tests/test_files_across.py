"""Files across nodes: sent in a message, fetched by the recipient's own node, and kept there sealed."""

import os
from typing import Any

from safeum_home.config import FileSection
from tests.across_case import A, AcrossCase
from tests.file_case import Answer, Web
from tests.world import Client

OCTETS = "application/octet-stream"
TUS = {"Tus_Resumable": "1.0.0"}
SECTION = FileSection(largest=4 * 1024**2, quota=8 * 1024**2, copies=3 * 1024**2, waiting=5)


class FilesAcrossCase(AcrossCase):
    """Alice sends to Bob, who is at another node."""

    options: dict[str, Any] = {"files": SECTION}

    def web(self, node: str) -> Web:
        return Web(self.nodes[node])

    def upload(self, client: Client, chat: str, octets: bytes, kind: str = OCTETS) -> str:
        """The id that the file has at the node of `client`."""
        from base64 import b64encode

        web = Web(client.world)
        ticket = client.call("file.upload", chat=chat)["ticket"]
        about = {
            "Upload_Length": str(len(octets)),
            "Upload_Metadata": "filetype " + b64encode(kind.encode()).decode(),
        }
        made = web.tus("POST", "/v1/uploads", ticket, None, **about)
        self.assertEqual(made.status, 201, made.body)
        if octets:
            more = {"Content_Type": "application/offset+octet-stream", "Upload_Offset": "0"}
            self.assertEqual(web.tus("PATCH", made["location"], ticket, octets, **more).status, 204)
        return made["location"].rpartition("/")[2]

    def body(self, file: str, octets: bytes, kind: str = OCTETS, **more: Any) -> dict[str, Any]:
        return {"kind": "file", "file": file, "name": "notes.txt", "size": len(octets), "type": kind, **more}

    def send(self, client: Client, body: dict[str, Any], chat: str | None = None) -> str:
        params = client.message(chat or self.chat, "") | {"body": body}
        return str(client.call("chat.send", **params)["id"])

    def sent(self, octets: bytes, **more: Any) -> str:
        """Alice sends a file; the id of her message."""
        return self.send(self.alice, self.body(self.upload(self.alice, self.chat, octets), octets, **more))

    def fetch(self, client: Client, message: str, chat: str | None = None, **fields: str | None) -> Answer:
        path = client.call("file.download", chat=chat or self.chat, message=message)["path"]
        return Web(client.world).ask("GET", path, None, **fields)

    def last(self, client: Client) -> dict[str, Any]:
        return self.page(client)[-1]


class FetchingTests(FilesAcrossCase):
    def test_whole(self) -> None:
        """It comes as it was, is fetched once, and its copy is there while the other node is away."""
        octets = os.urandom(300_000)
        self.sent(octets, caption="look")
        self.settle()
        message = self.last(self.bob)
        self.assertEqual((message["body"]["caption"], message["body"]["size"]), ("look", 300_000))
        self.assertNotEqual(message["body"]["file"], self.last(self.alice)["body"]["file"])
        self.assertEqual(self.nodes.fetched, [])
        answer = self.fetch(self.bob, message["id"])
        self.assertEqual((answer.status, answer["etag"]), (200, f'"{message["body"]["file"]}"'))
        self.assertEqual(answer.body, octets)
        self.nodes.away.add(A)
        self.assertEqual(
            self.fetch(self.bob, message["id"], Range="bytes=65530-131080").body, octets[65530:131081]
        )
        self.assertEqual(len(self.nodes.fetched), 1)
