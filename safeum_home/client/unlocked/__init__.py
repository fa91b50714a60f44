"""Secure chats for programs: what a client has once its unique key was entered.

`client.secure` does what a person does with them, over the client's own commands; the cryptography is in
`client.secure`, the package, which docs/secure-chats.md specifies. All of it is in memory alone.
"""
