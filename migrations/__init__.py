"""The schema, forward only: one linear history for SQLite and PostgreSQL, run by layers/store/migrate.py.

Types are the narrow set both databases agree on: BigInteger, Text, Double (times are epoch seconds), LargeBinary.
JSON is Text, written and read by the layer that owns the table.
"""

HEAD = "0001"
"""The newest revision. Alembic is imported only when the database's differs; a test keeps this equal to versions/."""
