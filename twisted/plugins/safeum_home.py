"""Makes `twistd safeum` known to twistd."""

from twisted.application.service import ServiceMaker

safeum = ServiceMaker("SafeUM Home", "safeum_home.tap", "A SafeUM node: messaging and telephony.", "safeum")
