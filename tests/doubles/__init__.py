"""Stand-ins for services outside, written from their documents."""
