"""The wire contract, shared by node and clients: no I/O, no clock, nothing of the node's inside."""

SUBPROTOCOL = "safeum.v1.json"
WEBSOCKET_PATH = "/v1/ws"
MAX_FRAME = 64 * 1024
"""Octets that one WebSocket message may have, in either direction."""
