"""Where bridges may connect to."""

from twisted.trial.unittest import SynchronousTestCase

from bridges.address import base_url


class AddressTests(SynchronousTestCase):
    def test_taken(self) -> None:
        """HTTPS anywhere, HTTP on this machine."""
        for url in (
            "https://api.twilio.com",
            "https://api.twilio.example:8443/base",
            "https://192.0.2.1",
            "https://[2001:db8::1]:1",
            "http://127.0.0.1:13013/cgi-bin/sendsms",
            "http://127.200.0.1",
            "http://[::1]:13013",
            "http://localhost:13013",
        ):
            self.assertEqual(base_url(url, False), url)
            self.assertEqual(base_url(f"{url}/", False), url)
        self.assertEqual(base_url("http://192.0.2.1:1", True), "http://192.0.2.1:1")

    def test_refused(self) -> None:
        """Everything else, and nothing of it is quoted."""
        for url in (
            "",
            "api.twilio.com",
            "//api.twilio.com",
            "ftp://127.0.0.1",
            "file:///etc/passwd",
            "https://",
            "https://:443",
            "https://user@api.twilio.com",
            "https://user:word@api.twilio.com",
            "https://api.twilio.com?a=b",
            "https://api.twilio.com/?",
            "https://api.twilio.com/#",
            "https://api.twilio.com:99999",
            "https://api.twilio.com:x",
            "https://api twilio.com",
            "https://api.twilio.com\\@127.0.0.1",
            "https://api.twilio.com\n",
            "https://äpi.example",
            "https://[::1",
        ):
            for plain in (False, True):
                with self.assertRaises(ValueError) as caught:
                    base_url(url, plain)
                self.assertNotIn("twilio", str(caught.exception))
        for url in (
            "http://192.0.2.1",
            "http://10.0.0.1",
            "http://localhost.example",
            "http://127.0.0.1.example",
            "http://[::ffff:192.0.2.1]",
            "http://0.0.0.0",
            "http://2130706433",
        ):
            self.assertRaises(ValueError, base_url, url, False)
