"""Voicemail: what answers calls from the telephone network where nobody does, by each account's rules."""
