"""Run by Alembic: upgrades on the connection that `migrate` opened, in the transaction it began."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], transactional_ddl=True)
context.run_migrations()
