"""Alembic's scripts, run by `safeum_home.storage.migrate`. Revisions are numbers: a larger one is newer."""
