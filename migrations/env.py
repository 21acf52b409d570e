"""What Alembic runs. The connection is handed over by layers/store/migrate.py, which also holds the lock."""

from alembic import context

connection = context.config.attributes["connection"]
context.configure(connection=connection, render_as_batch=True, transaction_per_migration=True)
with context.begin_transaction():
    context.run_migrations()
