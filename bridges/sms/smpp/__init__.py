"""SMPP 3.4 (SMS Forum, 1999): text messages through a provider's SMSC, over one lasting connection.

The codec is our own: the public ones for Twisted pin a Twisted of 2023, and log whole PDUs, numbers in them.
"""

from bridges.sms.smpp.provider import Smpp

__all__ = ["Smpp"]
