"""The database: PostgreSQL 15 or newer, with TimescaleDB where the server has it.

How the rest of the program uses it:

- ``settings.read()`` gives Settings; ``embedded.database(settings)`` is a context that yields the URL,
  of the given server or of the embedded one (started here, or the one that ``serve`` already runs).
  ``binaries`` finds PostgreSQL, ``ground`` says where and as whom it runs, ``cluster`` runs it.
- ``pool.open_pool(url, name="api", size=4)`` is a pool of connections, for worker threads;
  ``with pool.connection() as connection:`` is one transaction, committed at its end. Sessions are UTC.
  ``pool.connect(url)`` is one connection by itself. ``pool.snapshot(connection)`` opens a REPEATABLE READ
  transaction.
- SQL stands in ``sql/NAME.sql``: each statement begins with ``-- name: WHAT`` and its first comment says
  what it does. ``statement("marks.append")`` is statement ``append`` of ``sql/marks.sql``; parameters are
  named (``%(machine_id)s``).
- Whatever changes what a machine-hour costs appends marks in the same transaction:
  ``marks.append(connection, [(machine_id, hour), ...])`` or
  ``marks.append_span(connection, machine_ids, starts_at, ends_at)``.
- The schema is ``migrations/NNNN_*.sql``, forward only: ``migrations.migrate(url)``.
- ``times.to_us`` and ``times.from_us`` go between aware datetimes and integer microseconds.
"""
