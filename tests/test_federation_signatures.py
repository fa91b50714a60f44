"""Signed requests: the vectors of RFC 9421, another implementation, and everything that is refused."""

from base64 import b64decode, b64encode, urlsafe_b64decode
from datetime import UTC, datetime
from hashlib import sha256
from types import SimpleNamespace
from typing import Any

import http_message_signatures as peer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.http_headers import Headers

from federation.signatures import (
    COMPONENTS,
    LONGEST_FIELD,
    TAG,
    SignedRequest,
    new_nonce,
    read_request,
    sign_request,
    signature_base,
)
from safeum_home.errors import Code, Problem
from safeum_home.protocol.federation.signed import is_signed_by
from tests.federation import NOW, SeedSigner, fields, headers, signer

METHOD, TARGET = b"PUT", b"/_safeum/federation/v1/transactions/s/1"


def read(values: dict[str, str], method: bytes = METHOD, target: bytes = TARGET) -> SignedRequest:
    return read_request(method, target, headers(values))


class RfcTests(SynchronousTestCase):
    """RFC 9421, appendix B.2.6, with the key of appendix B.1.4; RFC 9530, appendix D."""

    def test_ed25519(self) -> None:
        """The signature base and the signature are those that the RFC gives."""
        parameters = (
            '("date" "@method" "@path" "@authority" "content-type" "content-length")'
            ';created=1618884473;keyid="test-key-ed25519"'
        )
        base = signature_base(
            [
                ("date", "Tue, 20 Apr 2021 02:07:55 GMT"),
                ("@method", "POST"),
                ("@path", "/foo"),
                ("@authority", "example.com"),
                ("content-type", "application/json"),
                ("content-length", "18"),
            ],
            parameters,
        )
        signature = b64decode(
            "wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw=="
        )
        public = urlsafe_b64decode("JrQLj5P_89iXES9-vFgrIy29clF9CC_oPPsw3c5D0bs=")
        self.assertTrue(is_signed_by(public, base, signature))
        self.assertFalse(is_signed_by(public, base + b"\n", signature))
        seed = urlsafe_b64decode("n4Ni-HpISpVObnQMW0wOhCKROaIKqKtW_2ZYb2p9KcU=")
        self.assertEqual(SeedSigner(seed).public_key, public)
        self.assertEqual(SeedSigner(seed).sign(base), signature)

    def test_digest(self) -> None:
        """The digests of an object, and of nothing."""
        for body, digest in (
            (b'{"hello": "world"}', "sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:"),
            (b"", "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:"),
        ):
            self.assertEqual(fields(body=body)["Content-Digest"], digest)


class PeerCase(SynchronousTestCase):
    """A message as `http-message-signatures` takes it, which knows nothing of us."""

    def message(self, values: dict[str, str], method: bytes = METHOD, target: bytes = TARGET) -> Any:
        url = "https://a.example" + target.decode()
        return SimpleNamespace(method=method.decode(), url=url, headers=dict(values))

    def resolver(self) -> Any:
        private = Ed25519PrivateKey.from_private_bytes(bytes([1]) * 32)
        public = Ed25519PublicKey.from_public_bytes(signer(1).public_key)
        return peer.MappingKeyResolver(public_keys={"ed25519:1": public}, private_keys={"ed25519:1": private})


class PeerTests(PeerCase):
    """Both implementations agree."""

    def verified(self, values: dict[str, str], body: bytes, target: bytes = TARGET) -> Any:
        verifier = peer.HTTPMessageVerifier(
            signature_algorithm=peer.algorithms.ED25519, key_resolver=self.resolver()
        )
        (result,) = verifier.verify(
            self.message(values, target=target), max_age=None, expect_tag=TAG, body=body
        )
        return result

    def test_ours_verifies_there(self) -> None:
        """What is signed here is verified there, with body and parameters."""
        values = fields(body=b"[1]", target="/a/b?c=d&e=%20", created=int(datetime.now(UTC).timestamp()))
        result = self.verified(values, b"[1]", b"/a/b?c=d&e=%20")
        covered = {*result.covered_components} - {'"@signature-params"'}
        self.assertEqual(covered, {f'"{each}"' for each in COMPONENTS})
        self.assertEqual(result.parameters["nonce"], "A" * 22)
        with self.assertRaises(peer.InvalidSignature):
            self.verified(values, b"[2]", b"/a/b?c=d&e=%20")
        with self.assertRaises(peer.InvalidSignature):
            self.verified(values, b"[1]", b"/a/b?c=d&e=%21")

    def test_theirs_verifies_here(self) -> None:
        """What is signed there is verified here: another label, other order of the parameters."""
        values = {
            "Content-Digest": fields(body=b"[1]")["Content-Digest"],
            "Safeum-Origin": "b.example",
            "Safeum-Destination": "a.example",
        }
        message = self.message(values)
        peer.HTTPMessageSigner(
            signature_algorithm=peer.algorithms.ED25519, key_resolver=self.resolver()
        ).sign(
            message,
            key_id="ed25519:1",
            created=datetime.fromtimestamp(NOW, UTC),
            nonce="n" * 22,
            label="theirs",
            tag=TAG,
            covered_component_ids=COMPONENTS,
            use_existing_digest=True,
        )
        self.assertIn("theirs=", message.headers["Signature"])
        request = read(message.headers)
        request.verify(signer().public_key)
        request.check_body(sha256(b"[1]").digest())
        self.assertEqual((request.created, request.nonce, request.key_id), (NOW, "n" * 22, "ed25519:1"))
        self.assertEqual((request.origin, request.destination), ("b.example", "a.example"))


class ReadTests(SynchronousTestCase):
    """What is read of a request, and what is refused."""

    def refused(self, values: dict[str, str], *line: bytes) -> None:
        with self.assertRaises(Problem) as caught:
            read(values, *line).verify(signer().public_key)
        self.assertIs(caught.exception.code, Code.BAD_SIGNATURE)

    def changed(self, name: str, old: str, new: str) -> None:
        values = fields()
        self.assertIn(old, values[name])
        self.refused({**values, name: values[name].replace(old, new)})

    def signed_anew(self, old: str, new: str, origin: str = "b.example") -> None:
        """Refused is what the origin itself has signed with other parameters, or under another name."""
        values = {**fields(), "Safeum-Origin": origin}
        self.assertIn(old, values["Signature-Input"])
        values["Signature-Input"] = values["Signature-Input"].replace(old, new)
        covered = (METHOD.decode(), TARGET.decode(), values["Content-Digest"], origin, "a.example")
        parameters = values["Signature-Input"].partition("=")[2]
        base = signature_base(zip(COMPONENTS, covered, strict=True), parameters)
        values["Signature"] = f"safeum=:{b64encode(signer().sign(base)).decode()}:"
        self.refused(values)

    def test_good(self) -> None:
        """A request that was signed here is read and verified."""
        request = read(fields())
        request.verify(signer().public_key)
        request.check_body(sha256(b"{}").digest())
        self.assertEqual(request.nonce, "A" * 22)
        with self.assertRaises(Problem):
            request.check_body(sha256(b"").digest())
        with self.assertRaises(Problem):
            request.verify(signer(2).public_key)

    def test_everything_is_covered(self) -> None:
        """Method, target, query, origin, destination, digest and parameters cannot be changed."""
        self.refused(fields(), b"POST", TARGET)
        self.refused(fields(), METHOD, TARGET + b"?")
        self.refused(fields(), METHOD, TARGET[:-1] + b"2")
        self.changed("Safeum-Origin", "b.", "c.")
        self.changed("Safeum-Destination", "a.", "c.")
        self.refused({**fields(), "Content-Digest": fields(body=b"x")["Content-Digest"]})
        self.changed("Signature-Input", str(NOW), str(NOW + 1))
        self.changed("Signature-Input", "AAAAAAAAAA", "AAAAAAAAAB")
        self.changed("Signature-Input", "ed25519:1", "ed25519:2")
        self.changed("Signature", "=:", "=:AAAA")

    def test_missing_and_repeated(self) -> None:
        """Each field is there once."""
        for name in fields():
            values = fields()
            value = values.pop(name)
            self.refused(values)
            twice = Headers({each: [text] for each, text in values.items()})
            twice.setRawHeaders(name, [value, value])
            with self.assertRaises(Problem):
                read_request(METHOD, TARGET, twice)
            self.refused({**values, name: ""})
            self.refused({**values, name: value + " é"})
            self.refused({**values, name: value + "x" * LONGEST_FIELD})

    def test_signed_anew(self) -> None:
        """The helper of the next test signs well: only what it is told to change is wrong."""
        with self.assertRaises(self.failureException):
            self.signed_anew("safeum", "safeum")

    def test_other_profiles(self) -> None:
        """Components or parameters that are fewer, more, otherwise ordered, of another type; another tag."""
        for old, new in (
            ('"@method" ', ""),
            ('"@method"', '"@method";req'),
            ('"@method" "@request-target"', '"@request-target" "@method"'),
            ('"safeum-destination")', '"safeum-destination" "date")'),
            ('"content-digest"', "content-digest"),
            ("safeum-federation", "other"),
            ('"safeum-federation"', "safeum-federation"),
            ('alg="ed25519"', 'alg="hmac-sha256"'),
            ('alg="ed25519"', "alg=ed25519"),
            (';alg="ed25519"', ""),
            (f"created={NOW}", f"created={NOW}.0"),
            (f"created={NOW}", f'created="{NOW}"'),
            (f"created={NOW}", f"created=@{NOW}"),
            (f"created={NOW}", "created=@99999999999999"),
            (f"created={NOW}", "created=-1"),
            (f"created={NOW}", "created"),
            (f"created={NOW}", f"created=1;created={NOW}"),
            (f";created={NOW}", ""),
            ("A" * 22, "A" * 21),
            ("A" * 22, "A" * 65),
            ("A" * 22, "A" * 21 + "="),
            (';nonce="' + "A" * 22 + '"', ""),
            ('"ed25519:1"', '"ed25519:"'),
            ('"ed25519:1"', '"rsa:1"'),
            ('"ed25519:1"', "ed25519"),
            (";tag", ";expires=1;tag"),
            ("safeum=", "other="),
            ("safeum=", "safeum=1, x="),
            ("safeum=", 'x=("a");tag="safeum-federation", safeum='),
            ("safeum=(", "safeum=(("),
        ):
            self.signed_anew(old, new)

    def test_signature_field(self) -> None:
        """The signature has 64 octets and our label, once."""
        value = fields()["Signature"]
        for text in (
            value.replace("safeum", "other"),
            "safeum=:AAAA:",
            "safeum=?1",
            'safeum="x"',
            "safeum",
            f"{value}, {value}",
            value[:-1],
        ):
            self.refused({**fields(), "Signature": text})

    def test_digest_field(self) -> None:
        """SHA-256 it is; another digest beside it does not matter."""
        for text in ("sha-512=:AAAA:", "sha-256=:AAAA:", "sha-256=1", "x", "sha-256=:AAAA:, sha-256=:AAAA:"):
            self.refused({**fields(), "Content-Digest": text})

    def test_lines(self) -> None:
        """Targets in other forms, and what is no method."""
        for method, target in (
            (b"put", TARGET),
            (b"PUT\n", TARGET),
            (b"", TARGET),
            (METHOD, b"https://a.example/x"),
            (METHOD, b"*"),
            (METHOD, b"/a b"),
            (METHOD, b"/\xc3\xa9"),
            (METHOD, b"/x\n"),
            (METHOD, b"/" + b"x" * 2048),
        ):
            self.refused(fields(), method, target)
            with self.assertRaises(ValueError):
                sign_request(
                    method.decode(),
                    target.decode(),
                    b"",
                    origin="b.example",
                    destination="a.example",
                    key_id="ed25519:1",
                    signer=signer(),
                    created=NOW,
                    nonce=new_nonce(),
                )

    def test_a_proxy_signs_too(self) -> None:
        """Another signature beside ours, with another tag or none, is left alone."""
        values = fields()
        values["Signature-Input"] = 'proxy=("via");created=1, ' + values["Signature-Input"]
        values["Signature"] += ", proxy=:AAAA:"
        read(values).verify(signer().public_key)

    def test_two_of_ours(self) -> None:
        """Two signatures with our tag are refused, however good one of them is: nobody says which counts."""
        values = fields()
        values["Signature-Input"] += ', x=("a");tag="safeum-federation"'
        values["Signature"] += ", x=:AAAA:"
        self.refused(values)

    def test_names(self) -> None:
        """Names of nodes in their written form alone."""
        for name in (
            "B.example",
            "b.example.",
            "b example",
            "b.example:0",
            "-b.example",
            "b_.example",
            "[::1]",
        ):
            self.signed_anew("safeum", "safeum", name)
        self.assertEqual(read(fields(origin="b.example:8448")).origin, "b.example:8448")

    def test_nonces(self) -> None:
        """128 random bits, another one each time."""
        self.assertEqual(len({new_nonce() for _ in range(100)}), 100)
        self.assertEqual(read(fields(nonce=new_nonce())).origin, "b.example")

    @given(st.sampled_from(sorted(fields())), st.data())
    def test_flipped_bits(self, name: str, data: st.DataObject) -> None:
        """No bit of what signs can be changed, but for the name of the label in both fields."""
        octets = bytearray(fields()[name].encode())
        bit = data.draw(st.integers(0, len(octets) * 8 - 1))
        octets[bit // 8] ^= 1 << bit % 8
        values = Headers({each.encode(): [text.encode()] for each, text in fields().items()})
        values.setRawHeaders(name.encode(), [bytes(octets)])
        try:
            request = read_request(METHOD, TARGET, values)
            request.verify(signer().public_key)
        except Problem as problem:
            self.assertIs(problem.code, Code.BAD_SIGNATURE)
        else:
            self.assertEqual(
                (request.base, request.signature), (read(fields()).base, read(fields()).signature)
            )

    @given(st.sampled_from(sorted(fields())), st.text(st.characters(max_codepoint=255), max_size=80))
    def test_any_fields(self, name: str, text: str) -> None:
        """Whatever stands in a field, the answer is a refusal."""
        values = Headers({each.encode(): [value.encode()] for each, value in fields().items()})
        try:
            values.setRawHeaders(name.encode(), [text.encode("latin-1")])
        except Exception:  # Twisted takes no such field from the network either
            return
        with self.assertRaises(Problem):
            read_request(METHOD, TARGET, values).verify(signer().public_key)
