"""A life on a node, with every value marked: from sign-up to the last message, mistakes included."""

from base64 import b32decode, b64encode, urlsafe_b64decode
from contextlib import suppress
from secrets import token_bytes

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from mnemonic import Mnemonic

from safeum_home.protocol.signing import encode_octets
from tests.e2e.canaries import Canaries
from tests.e2e.node_process import NodeProcess
from tests.e2e.people import Person, befriend, connect, consent, history, resume, sign_up
from tests.e2e.wire import UPGRADE, RawClient, Refused, frame, plain_socket
from tests.keys_case import Pair
from tests.test_accounts_avatars import picture
from tests.test_images import chunk

ADDRESS = "127.0.0.77"
"""Where people come from: no address of theirs is to be kept."""
PROVIDER = "web"
PUSH = f"""
[[push.providers]]
name = "{PROVIDER}"
kind = "webpush"
[push.providers.settings]
contact = "mailto:operator@example.org"
"""
"""What the node's configuration has to have."""


class Life:
    """What happens on a node, with the canaries it is full of."""

    def __init__(self, node: NodeProcess) -> None:
        self._node = node
        self.canaries = Canaries()
        self._passwords: dict[str, str] = {}
        self._add_operators()

    def _add_operators(self) -> None:
        words = self._node.words.split()
        for start in range(0, len(words) - 3, 4):
            self.canaries.add("words of the root secret", " ".join(words[start : start + 4]))
        self.canaries.add("the root secret", bytes(Mnemonic("english").to_entropy(words)))
        for line in self._node.key.decode().splitlines()[1:-1]:
            self.canaries.add("the TLS key", line[:48])
        self.canaries.add("an address", ADDRESS)
        self.canaries.add("a password's hash", "$argon2id$")

    def live(self) -> None:
        """All of it."""
        self._node.set_secret("sms-gateway", self.canaries.text("a provider's credential").encode())
        anna, at_anna = self._sign_up("anna")
        bert, at_bert = self._sign_up("bert")
        with at_anna, at_bert:
            assert at_anna.call("contact.find", address=bert.username)["account"] == bert.account
            chat = befriend(at_anna, at_bert, bert)
            self._add_id("a chat", chat[1:])
            self._set_profile(at_anna)
            self._set_profile(at_bert)
            avatar = self._set_avatar(at_bert)
            self._chat(at_anna, at_bert, chat)
            assert at_anna.call("profile.get", account=bert.account)["profile"]["avatar"] == avatar
            at_anna.call("profile.avatar.get", account=bert.account, avatar=avatar)
            self._publish_keys(at_anna, at_bert, anna)
            self._call(at_anna, at_bert, bert)
            self._strangers(anna)
        self._another_device(anna)
        self._mistakes(anna)
        self._return(anna, chat)
        self._return(bert, chat)
        self._register()

    def _sign_up(self, name: str) -> tuple[Person, RawClient]:
        username = self.canaries.word(f"{name}'s username")
        password, device = self.canaries.text(f"{name}'s password"), self._device(f"{name}'s device")
        person, client = sign_up(self._node, username, password, device, source=ADDRESS)
        self._passwords[username] = password
        self._add_id(f"{name}'s account", person.account[1:27])
        self._add_token(f"{name}'s token", person.token)
        return person, client

    def _device(self, name: str) -> dict[str, str]:
        return {
            "name": self.canaries.text(name),
            "system": self.canaries.text(f"system of {name}"),
            "type": "tablet",
            "model": self.canaries.word(f"model of {name}"),
            "region": self.canaries.word(f"region of {name}"),
            "time_zone": f"Etc/{self.canaries.word(f'time zone of {name}')}",
        }

    def _add_id(self, name: str, text: str) -> None:
        self.canaries.add(name, text)
        self.canaries.add(f"{name}, raw", b32decode(text.upper() + "=" * (-len(text) % 8)))

    def _add_token(self, name: str, token: str) -> None:
        device, _, secret = token.partition(".")
        self._add_id(f"device of {name}", device[1:])
        self.canaries.add(name, secret)
        self.canaries.add(f"{name}, raw", urlsafe_b64decode(secret + "="))

    def _set_profile(self, client: RawClient) -> None:
        profile = {
            "display_name": self.canaries.text("a display name"),
            "status": self.canaries.text("a status"),
            "about": self.canaries.text("a text about somebody"),
            "fields": [{"label": self.canaries.word("a label"), "value": self.canaries.text("a value")}],
        }
        client.call("profile.set", profile=profile)

    def _set_avatar(self, client: RawClient) -> str:
        """A picture, with metadata in it."""
        data = picture(20_000, chunk(b"tEXt", self.canaries.word("a picture's place").encode()))
        self.canaries.add("a picture", data[1000:1200])
        about = {"type": "image/png", "data": b64encode(data).decode()}
        avatar: str = client.call("profile.avatar.set", **about)["avatar"]
        self._add_id("a picture's id", avatar[1:])
        return avatar

    def _chat(self, first: RawClient, second: RawClient, chat: str) -> None:
        for index in range(6):
            sender, recipient = (first, second) if index % 2 else (second, first)
            text = self.canaries.text(f"text {index}")
            # Long enough that the rows of some do not fit into a page of the database.
            body = {"kind": "text", "text": text * (1 if index < 4 else 120)}
            for _ in range(2):
                sender.call("chat.send", chat=chat, client_id=self._client_id(index), body=body)
            sender.call("chat.typing", chat=chat)
            message = recipient.event("chat.message")
            assert message["body"] == body
            recipient.call("session.ack", cursor=message["id"])
            recipient.call("chat.read", chat=chat, upto=message["id"])
            sender.event("chat.receipt")

    def _publish_keys(self, first: RawClient, second: RawClient, owner: Person) -> None:
        """Public keys, which are in memory alone; their hashes are sealed."""
        unique, other, launch = (Pair(self._seed()) for _ in range(3))
        for pair in (unique, other, launch):
            for key in (pair.sign, pair.box, pair.hash):
                self.canaries.add("a public key, or its hash", urlsafe_b64decode(key + "="))
        first.call("keys.publish", identity=unique.identity(owner.account))
        first.call("keys.publish", identity=other.identity(owner.account), replaces=unique.hash)
        assert second.event("keys.changed")["after"] == other.hash
        first.call("keys.launch", sign=launch.sign, box=launch.box, at=1)
        [found] = second.call("keys.query", accounts=[owner.account], launches=True)["keys"]
        assert (found["identity"]["sign"], len(found["launches"])) == (other.sign, 1)

    def _call(self, first: RawClient, second: RawClient, callee: Person) -> None:
        """What passes in a call is in memory alone; when it was, and for how long, is sealed."""
        call, hello, other, said = (encode_octets(token_bytes(size)) for size in (16, 96, 96, 300))
        for text in (call, hello, other, said):
            self.canaries.add("what passes in a call", text)
        first.call("call.invite", call=call, to=callee.account, media="audio", hello=hello)
        assert second.event("call.invited")["hello"] == hello
        second.call("call.ringing", call=call, hello=other)
        device = first.event("call.ringing")["device"]
        second.call("call.answer", call=call)
        first.event("call.answered")
        first.call("call.signal", call=call, device=device, data=said)
        assert second.event("call.signal")["data"] == said
        first.call("call.hangup", call=call)
        second.event("call.ended")
        logged: list[dict[str, int]] = []
        while not logged:  # it is stored a moment after the answer
            logged = first.call("call.log")["calls"]
        at = logged[0]["at"]
        self.canaries.add("when a call was", str(at))
        self.canaries.add("when a call was", at.to_bytes(8, "big"))

    def _seed(self) -> int:
        return int.from_bytes(token_bytes(32), "big")

    def _client_id(self, index: int) -> str:
        client_id = f"client-id-of-message-{index}"
        self.canaries.add("a client id", client_id)
        return client_id

    def _strangers(self, person: Person) -> None:
        """Who does not get in."""
        with self._connected() as client:
            self._refused(
                client,
                "session.login",
                username=person.username,
                password=self.canaries.text("a wrong password"),
                device=self._device("a device that stays outside"),
            )
        # Two want the same name at the same moment: the database itself refuses one of them.
        with self._connected() as one, self._connected() as other:
            name, secret = self.canaries.word("a username for two"), self.canaries.text("a password for two")
            device = self._device("a device for two")
            for client in (one, other):
                agreed = consent(client)
                params = {"username": name, "password": secret, "device": device, "consent": agreed}
                client.send(id=0, method="account.register", params=params)
            answers = [one.read(), other.read()]
            assert sorted("error" in answer for answer in answers) == [False, True], answers

    def _another_device(self, person: Person) -> None:
        """A login with the password, which is announced; then its token is revoked."""
        with resume(self._node, person, source=ADDRESS) as client, self._connected() as other:
            device = self._device("another device")
            password = self._passwords[person.username]
            params = {"username": person.username, "password": password, "device": device}
            opened = other.call("session.login", **params)
            self._add_token("another device's token", opened["token"])
            announced = client.event("chat.message")["body"]
            assert announced["name"] == device["name"] and announced["system"] == device["system"]
            client.call("device.revoke", device=opened["device"])
            other.wire.drained()

    def _connected(self) -> RawClient:
        return connect(self._node, source=ADDRESS)

    def _mistakes(self, person: Person) -> None:
        """Whatever is wrong in a frame or request must not be quoted in a log."""
        mark = self.canaries.word
        with resume(self._node, person, source=ADDRESS) as client:
            self._refused(client, mark("a method"))
            self._refused(client, "chat.send", chat=mark("no chat"), client_id="x", body={})
            self._refused(client, "chat.send", **{mark("a field"): 1})
            for octets in (
                mark("no JSON").encode(),
                b'"' + mark("not UTF-8").encode() + b"\xff",
                mark("too much").encode() * 5000,
            ):
                with suppress(ConnectionError):
                    client.wire.send(frame(octets))
            client.wire.drained()
        with self._node.connect(source=ADDRESS) as wire:
            wire.send(
                UPGRADE.replace("localhost", mark("a host"))
                .replace("13", mark("a version"))
                .replace("\r\n\r\n", f"\r\nUser-Agent: {mark('a user agent')}\r\n\r\n")
                .encode()
            )
            wire.drained()
        with self._node.connect(source=ADDRESS) as wire:
            wire.get(f"/{mark('a path')}?{mark('a query')}")
        with plain_socket(self._node.port, ADDRESS) as connection:
            connection.sendall(f"GET /{mark('a path in clear')} HTTP/1.1\r\n\r\n".encode())
            with suppress(ConnectionError):
                while connection.recv(4096):
                    pass

    def _return(self, person: Person, chat: str) -> None:
        with resume(self._node, person, person.cursor, source=ADDRESS) as client:
            client.event("session.synced")
            assert len(history(client, chat)) == 6
            assert client.call("chat.list")["chats"]
            assert len(client.call("device.list")["devices"]) == 1
            contacts = client.call("contact.list")["contacts"]
            client.call("contact.block", account=contacts[0]["account"])
            client.call("session.logout")

    def _register(self) -> None:
        """A device says where it is woken. It holds all that there is: nobody wakes it there."""
        key = generate_private_key(SECP256R1()).public_key()
        point = key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        secret = token_bytes(16)
        self.canaries.add("a key that wakes are encrypted for", point)
        self.canaries.add("a secret that wakes are encrypted with", secret)
        _, client = self._sign_up("cora")
        with client:
            client.call("session.ack", cursor=client.event("chat.message")["id"])
            client.call(
                "push.set",
                provider=PROVIDER,
                token=f"https://push.example/{self.canaries.word('a push endpoint')}",
                keys={"p256dh": encode_octets(point), "auth": encode_octets(secret)},
            )
            assert client.call("push.get") == {"provider": PROVIDER}

    def _refused(self, client: RawClient, method: str, **params: object) -> None:
        try:
            client.call(method, **params)
        except Refused:
            return
        raise AssertionError(f"{method} was not refused")
