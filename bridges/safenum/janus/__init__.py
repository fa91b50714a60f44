"""Janus, whose SIP plugin speaks with an edge (Kamailio) in front of a carrier: docs/carrier.md."""

from bridges.safenum.janus.carrier import janus as janus
