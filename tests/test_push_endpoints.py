"""URLs that clients name: what may be asked, and what is refused before anything is looked up."""

from pathlib import Path

from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase

from bridges.push.endpoints import LONGEST_URL, Endpoint, Endpoints, EndpointSettings, read_endpoints, way
from safeum_home.config import ConfigError
from safeum_home.errors import Code, Problem
from safeum_home.outgoing.http import HttpLimits
from safeum_home.outgoing.places import Place

WNS = ("*.notify.windows.com",)


class EndpointTests(SynchronousTestCase):
    def refused(self, endpoints: Endpoints, url: str) -> None:
        self.assertIs(self.assertRaises(Problem, endpoints.read, url).code, Code.PUSH_ADDRESS_REFUSED, url)

    def test_read(self) -> None:
        """The host in its one written form; path and query as they came."""
        endpoints = Endpoints(WNS)
        for url, host, target in (
            ("https://hk2.notify.windows.com/?token=Ab%2f+_", "hk2.notify.windows.com", "/?token=Ab%2f+_"),
            ("https://WNS2-hk2.Notify.Windows.com:443/w/?t=1", "wns2-hk2.notify.windows.com", "/w/?t=1"),
            ("https://a.b.notify.windows.com?token=1", "a.b.notify.windows.com", "/?token=1"),
            ("https://a.notify.windows.com", "a.notify.windows.com", "/"),
        ):
            self.assertEqual(endpoints.read(url), Endpoint(Place(host), target))

    def test_other_hosts(self) -> None:
        """What looks like an allowed host to people, or to a careless reader of URLs."""
        endpoints = Endpoints(WNS)
        for url in (
            "http://a.notify.windows.com/",
            "HTTPS://a.notify.windows.com/",
            "https:/a.notify.windows.com/",
            "//a.notify.windows.com/",
            "https://notify.windows.com/",
            "https://anotify.windows.com/",
            "https://a.notify.windows.com.evil.example/",
            "https://evil.example/.notify.windows.com/",
            "https://evil.example?.notify.windows.com",
            "https://evil.example#.notify.windows.com",
            "https://evil.example\\.notify.windows.com/",
            "https://evil.example%2f.notify.windows.com/",
            "https://evil.example@a.notify.windows.com/",
            "https://a.notify.windows.com@evil.example/",
            "https://:@a.notify.windows.com/",
            "https://a.notify.windows.com./",
            "https://a..notify.windows.com/",
            "https://.notify.windows.com/",
            "https://a.notify.windows.com:80/",
            "https://a.notify.windows.com:8443/",
            "https://a.notify.windows.com:0443/",
            "https://a.notify.windows.com:/",
            "https://a.notify.windows.com:99999/",
            "https://a.notify.windows.com/#fragment",
            "https://a.notify.windows.com/ HTTP/1.1",
            "https://a.notify.windows.com/\r\nX: y",
            "https://a.notify.windows.com/\n",
            "https://a.notify.windows.com/\t",
            "https://a.notify.windows.com/\x00",
            "https://a.notify.windows.com/é",
            "https://\u0430.notify.windows.com/",
            "https://a.notify.windows.com\uff0fx/",
            " https://a.notify.windows.com/",
            "https://127.0.0.1/",
            "https://[::1]/",
            "https://",
            "",
            "https://a.notify.windows.com/" + "x" * LONGEST_URL,
        ):
            self.refused(endpoints, url)

    def test_any_host(self) -> None:
        """Without a list every host, and by choice the ports that are not a machine's own services'."""
        self.refused(Endpoints(()), "https://ntfy.example:8443/x")
        endpoints = Endpoints((), high_ports=True)
        self.assertEqual(endpoints.read("https://ntfy.example:8443/x").place, Place("ntfy.example", 8443))
        self.assertEqual(endpoints.read("https://[2001:db8::1]/x").place, Place("2001:db8::1"))
        for url in (
            "https://ntfy.example:22/x",
            "https://ntfy.example:1023/x",
            "https://127.1/x",
            "https://0x7f.1/",
        ):
            self.refused(endpoints, url)

    def test_ports_of_the_operator(self) -> None:
        """A port that the operator names is one to ask, of that host."""
        endpoints = Endpoints(("push.example:25", "*.push.example"))
        self.assertEqual(endpoints.read("https://push.example:25/").place, Place("push.example", 25))
        self.refused(endpoints, "https://push.example/")
        self.refused(endpoints, "https://a.push.example:25/")

    def test_settings(self) -> None:
        """The settings are read strictly, and what is wrong is named."""
        for settings, key in (
            ({"hosts": ["*"]}, "hosts"),
            ({"hosts": "a"}, "hosts"),
            ({"networks": ["10.0.0.1/8"]}, "networks"),
            ({"seconds": 0}, "seconds"),
            ({"url": "https://push.example"}, "url"),
        ):
            with self.assertRaisesRegex(ConfigError, f"^push provider x: .*{key}"):
                read_endpoints("push provider x", settings, EndpointSettings)

    def test_roots(self) -> None:
        """A file of roots that cannot be used is said so before the node starts."""
        folder = Path(self.mktemp())
        folder.mkdir()
        (folder / "empty.pem").write_text("nothing")
        for name in ("missing.pem", "empty.pem"):
            settings = EndpointSettings(ca=str(folder / name))
            with self.assertRaisesRegex(ConfigError, "^push provider x: ca: "):
                read_endpoints("push provider x", {"ca": settings.ca}, EndpointSettings)
            with self.assertRaisesRegex(ConfigError, "^push provider x: ca: "):
                way("push provider x", MemoryReactorClock(), settings, HttpLimits(), 10, 10)
