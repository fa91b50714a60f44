"""Secrets in locked memory: root secret, keyring, blind indexes, sealed provider credentials."""
