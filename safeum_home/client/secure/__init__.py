"""Secure chats, without I/O: docs/secure-chats.md specifies them. How a program uses this:

**At the start.** `UniqueKey.of(account, passphrase)`, in a thread: it takes a second. `People` for all
chats, and a `Vault`: what `vault.get` answers goes to `Vault.take` (or `none`), and its content to
`vault_content.restore`. Then publish `unique_key.identity(now)` (`keys.publish`), after each connect.

**For each chat** a `SecureChat(chat, unique_key, people, clock, peer, lambda: vault.version)`; `restore`
what the vault has of it, then give `past` the newest page of history, and from then on `take` each
message with a body of the kind `secure`, as `Told(sender, id, data, quiet)`, in the order in which they
come.

**Every call answers a `Step`.** Show its `events`; post its `posts` in their order, each as a body
`{"kind": "secure", "data": data, "quiet": quiet}`, the next one once the node has acknowledged the one
before, and again after a reconnect. Should the node refuse one for good: drop those that follow, and
`renew`.

**Keys.** On `KeysNeeded` ask `keys.query`, and on `keys.changed` ask again; give what is answered,
through `PublicKeys.of`, to `keys_told` of every chat with the account. What is not answered waits: ask
again when the account is heard of. On `KeysChanged` with `vouched` unset ask the user; `People.accept`,
then `look_again` in every chat. `People.verify` once people have compared (`fingerprints`, `comparing`).

**Groups.** Who makes one says `admit(accounts)`, who invites or removes says `admit` or `dismiss`; who
leaves dismisses itself. One's own roster is in force once it was taken: give it to `take`, with the id
of the acknowledgement, after all that was told before; on `Overtaken` sign anew. Then tell the node whom
to invite or remove. What the node says of members goes to `members_told`.

**Another passphrase.** `succession.name` with the keys of now, and the line of those before, if there is one.
`Vault.rekey`, and put what `moving.moved` makes of the content; then publish the new keys in place of those
before; then `succeed` in each chat. Whoever begins with such a vault `know`s its line, and goes on.

**Every 20 seconds** `tick`. After something was verified, drafted or received, and not more often than
every few seconds: a `Content` of `vault_content.pinned(people)` and the `memory` of each chat to
`Vault.put`, and that to `vault.put`. On a conflict `Vault.take` what is there, `merge`, and put again.
On `VaultNewer`: `Vault.expect`, and fetch it.

**At the end** `close` each chat, and `wipe` the unique key. Files are sealed and opened by `files`.
"""
