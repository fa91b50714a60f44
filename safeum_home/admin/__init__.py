"""The operator's side: a service on a Unix socket and the `safeum-home` command."""
