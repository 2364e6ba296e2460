"""Database roles that read finance's views and nothing else: for Power BI, Excel and dbt."""

from __future__ import annotations

import re
import secrets

from psycopg import Connection, sql
from psycopg.errors import DuplicateObject, DuplicateSchema, InsufficientPrivilege, UndefinedObject
from psycopg.rows import TupleRow

from cloud_api.access import keys
from cloud_api.errors import CloudError
from cloud_api.store.statements import statement

LONGEST_QUERY = "5min"
_NAME = re.compile(r"[a-z][a-z0-9_]{0,50}")


def create(connection: Connection[TupleRow], name: str, builds: bool = False) -> str:
    """Makes a role that may log in and read every `fin_*` view; gives its URL, the only time that its
    password exists in the clear. One that `builds`, as dbt does, also gets an empty schema of its own name,
    the only place where it may write. Raises CloudError. The caller's transaction commits it."""
    if not _NAME.fullmatch(name):
        raise CloudError("no name of a reader", repr(name), "use a-z, 0-9 and _, as powerbi")
    password, role = secrets.token_urlsafe(24), sql.Identifier(name)
    try:
        with connection.transaction():
            made = sql.SQL("create role {} login password {} connection limit 10")
            connection.execute(made.format(role, sql.Literal(password)))
            for command in (
                f"alter role {{}} set default_transaction_read_only = {'off' if builds else 'on'}",
                f"alter role {{}} set statement_timeout = '{LONGEST_QUERY}'",
                "grant usage on schema public to {}",
                *(("create schema {0}", "grant usage, create on schema {0} to {0}") if builds else ()),
            ):
                connection.execute(sql.SQL(command).format(role))
            for view in views(connection):
                connection.execute(sql.SQL("grant select on {} to {}").format(sql.Identifier(view), role))
    except (DuplicateObject, DuplicateSchema):
        raise CloudError("the name is taken", name, f"cloud-api reader drop {name}, or another") from None
    except InsufficientPrivilege as error:
        raise CloudError("this user may not make roles", str(error), "ask the administrator") from None
    keys.record(connection, "reader created", detail={"name": name, "builds": builds})
    info = connection.info
    return f"postgresql://{name}:{password}@{info.host}:{info.port}/{info.dbname}"


def drop(connection: Connection[TupleRow], name: str) -> None:
    """Ends a reader, with its own schema and all that it built there. Raises CloudError where there is none,
    or where it is no reader."""
    role = sql.Identifier(name)
    try:
        with connection.transaction():
            builds = None if name == connection.info.user else _builds(connection, name)
            if builds is None:
                raise CloudError("not a reader", name, "name one made by cloud-api reader create")
            connection.execute(sql.SQL("drop owned by {}").format(role))
            if builds:
                connection.execute(sql.SQL("drop schema if exists {}").format(role))
            connection.execute(sql.SQL("drop role {}").format(role))
    except UndefinedObject:
        raise CloudError("no such reader", name, "check the name") from None
    keys.record(connection, "reader dropped", detail={"name": name})


def views(connection: Connection[TupleRow]) -> list[str]:
    """Names of finance's views."""
    return [name for (name,) in connection.execute(statement("finance.views"))]


def _builds(connection: Connection[TupleRow], name: str) -> bool | None:
    """Whether a reader has a schema of its own; None for what is no reader."""
    row = connection.execute(statement("finance.reader"), {"name": name}).fetchone()
    return None if row is None else row[0]
