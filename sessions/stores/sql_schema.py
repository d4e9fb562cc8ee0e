"""The statements that create the tables of the SQL store."""

from sessions.stores.sql_statements import users_of

_FLOATS = (
    *("created_at", "accessed_at", "updated_at", "timeout", "secret_since"),
    *("grace_until", "ended_at"),
)


def postgresql_table(table: str) -> tuple[str, ...]:
    """Return the statements that create the table in PostgreSQL, in one transaction.

    If two processes run these statements at the same time, one waits for the other.
    """
    users = users_of(table)
    floats = ", ".join(f"{name} double precision" for name in _FLOATS)
    return (
        "BEGIN",
        f"SELECT pg_advisory_xact_lock(hashtext('sessions of {table}'))",
        f"""CREATE TABLE IF NOT EXISTS {table} (session_key text COLLATE "C" PRIMARY KEY,
            version integer, {floats}, user_id bytea, secret text, grace_secret text,
            data jsonb CHECK (jsonb_typeof(data) = 'object'),
            places jsonb CHECK (jsonb_typeof(places) = 'object'), next_place bigint,
            expires_at double precision NOT NULL, purge_at double precision NOT NULL)
            WITH (fillfactor = 70)""",
        f"CREATE INDEX IF NOT EXISTS {table}_purge ON {table} (purge_at)",
        f"""CREATE TABLE IF NOT EXISTS {users} (user_hash text COLLATE "C",
            session_key text COLLATE "C", live_until double precision NOT NULL,
            check_at double precision NOT NULL, PRIMARY KEY (user_hash, session_key))""",
        f"CREATE INDEX IF NOT EXISTS {users}_check ON {users} (check_at)",
        "COMMIT",
    )


def mysql_table(table: str) -> tuple[str, ...]:
    """Return the statements that create the table in MariaDB or MySQL."""
    floats = ", ".join(f"{name} DOUBLE" for name in _FLOATS)
    return (
        f"""CREATE TABLE IF NOT EXISTS {table} (session_key VARCHAR(255) PRIMARY KEY,
            version INT, {floats}, user_id BLOB, secret VARCHAR(255), grace_secret VARCHAR(255),
            data LONGTEXT CHECK (JSON_VALID(data)), places LONGTEXT CHECK (JSON_VALID(places)),
            next_place BIGINT, expires_at DOUBLE NOT NULL, purge_at DOUBLE NOT NULL,
            INDEX {table}_purge (purge_at))
            ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin""",
        f"""CREATE TABLE IF NOT EXISTS {users_of(table)} (user_hash CHAR(64),
            session_key VARCHAR(255), live_until DOUBLE NOT NULL, check_at DOUBLE NOT NULL,
            PRIMARY KEY (user_hash, session_key), INDEX {users_of(table)}_check (check_at))
            ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin""",
    )
