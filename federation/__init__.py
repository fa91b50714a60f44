"""Federation with other nodes."""
