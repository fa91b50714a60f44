"""SafeUM Home: a federated homeserver for private messaging and telephony, run by twistd."""

__version__ = "0.1.0"
