"""The SQL statements of the SQLite store."""

# The SQL text contains only the names of the store's own tables; all values are parameters.
# ruff: noqa: S608

from sessions.stores.base import PURGE_DELAY, REMEMBERED_FOR

SCHEMA_VERSION = 2

# The condition that a row is not damaged; it checks the types as `_SHAPES` does.
_SOUND = """CAST(version AS INTEGER) = version AND created_at <= 9e999 AND accessed_at <= 9e999
    AND updated_at <= 9e999 AND expires_at <= 9e999 AND secret_since <= 9e999
    AND (timeout <= 9e999) IS NOT 0 AND (user_id < x'') IS NOT 0 AND typeof(secret) = 'text'
    AND (grace_secret < x'') IS NOT 0 AND (grace_until <= 9e999) IS NOT 0
    AND (grace_secret IS NULL) = (grace_until IS NULL)
    AND typeof(data) = 'blob' AND ended_at IS NULL"""
_LIVE = f"expires_at > :now AND {_SOUND}"
# Only a blob is passed to the function, because SQLite cannot pass a text that is not UTF-8.
_IS_READABLE = "(typeof(data) = 'blob' AND is_readable(CAST(data AS BLOB)))"
_NO_VALUES = "x'80'"
"""An empty map of MessagePack."""
_AGREES = "(:expected IS NULL OR agrees(data, :expected))"

# These calculate the times as `Record.times_after` does.
_IS_EARLIER = "(accessed_at <= :ahead AND :accessed_at < accessed_at)"
_CREATED = "CASE WHEN created_at > :ahead THEN :now ELSE created_at END"
_UPDATED = "CASE WHEN updated_at > :ahead THEN :now ELSE updated_at END"
_USED = f"""accessed_at = CASE WHEN {_IS_EARLIER} THEN accessed_at ELSE :accessed_at END,
    expires_at = CASE WHEN {_IS_EARLIER} OR (accessed_at <= :ahead AND :keeps_later
        AND timeout IS NOT NULL AND :expires_at < expires_at)
        THEN expires_at ELSE :expires_at END"""
_CHANGED = f"""{_USED},
    updated_at = CASE WHEN {_IS_EARLIER} THEN {_UPDATED} ELSE :updated_at END"""
_RENEWED = """user_id = IIF(:sets_user, :user_id, user_id),
    timeout = IIF(:keeps_later, timeout, :timeout),
    secret = COALESCE(:new_secret, secret),
    secret_since = IIF(:new_secret IS NULL, secret_since, :now),
    grace_secret = CASE WHEN :new_secret IS NULL THEN grace_secret
        WHEN :grace IS NULL THEN NULL ELSE secret END,
    grace_until = IIF(:new_secret IS NULL, grace_until, :grace)"""

_RECORD = """version, created_at, accessed_at, updated_at, expires_at, timeout, user_id, secret,
    secret_since, grace_secret, grace_until, data"""
_NAMES = [*(name.strip() for name in _RECORD.split(",")), "ended_at", "purge_at"]


class Statements:
    """The SQL statements for one prefix.

    `purge_at` is the time when a purge looks at the row. If a request makes the expiry later,
    `purge_at` stays. Then the purge comes too early, and sets a later `purge_at`. So most commits
    change no column that has an index. If a request makes the expiry earlier, `purge_at` changes
    too, so no purge comes too late.
    """

    def __init__(self, prefix: str) -> None:
        table, schema = f"{prefix}sessions", f"{prefix}session_schema"
        self._make_tables(prefix, table, schema)
        self._purge(table)
        self._keep(table)
        self._use_and_end(table)
        self._list(table)

    def _keep(self, table: str) -> None:
        self.load = f"SELECT {_RECORD}, ended_at FROM {table} WHERE key = ?"
        self.has_expired = f"""SELECT 1 FROM {table}
            WHERE key = :key AND ended_at IS NULL AND expires_at <= :now"""
        self.has_secret = f"SELECT 1 FROM {table} WHERE key = ? AND secret = ?"
        self.create = f"""INSERT INTO {table} (key, {_RECORD}, purge_at)
            VALUES (:key, {", ".join(f":{name}" for name in _NAMES if name != "ended_at")})
            ON CONFLICT (key) DO UPDATE SET {_set_each("excluded.{}")}
            WHERE ({_LIVE} AND {_IS_READABLE}) IS NOT 1"""
        self.commit_values = f"""UPDATE {table} SET data = merged(data, :patch), {_CHANGED},
            created_at = {_CREATED}
            WHERE key = :key AND {_LIVE} AND {_AGREES}
            AND (secret = :secret OR (grace_secret = :secret AND :now < grace_until))"""
        self.commit = f"""UPDATE {table} SET {_CHANGED}, {_RENEWED},
            data = merged(IIF(:clear, {_NO_VALUES}, data), :patch),
            created_at = COALESCE(:created_at, {_CREATED})
            WHERE key = :key AND {_LIVE} AND {_AGREES}
            AND secret = :secret AND secret IS NOT :new_secret
            AND (NOT :clear OR {_IS_READABLE})"""

    def _use_and_end(self, table: str) -> None:
        self.touch = f"""UPDATE {table} SET {_USED}, created_at = {_CREATED},
            updated_at = {_UPDATED}
            WHERE key = :key AND {_LIVE} AND secret = :secret AND {_IS_READABLE}"""
        self.end = f"""UPDATE {table} SET {_set_each("NULL", but=2)}, ended_at = :now,
            purge_at = :now + {REMEMBERED_FOR}
            WHERE key = :key AND {_LIVE} AND {_IS_READABLE}
            AND (:user_id IS NULL OR user_id = :user_id)"""
        self.remove_leftover = f"""DELETE FROM {table}
            WHERE key = :key AND typeof(ended_at) <> 'real'
            AND ({_LIVE} AND {_IS_READABLE}) IS NOT 1 AND (NOT :keeps OR expires_at > :now)"""

    def _list(self, table: str) -> None:
        # A key with other characters is not a session's key, and is possibly no text.
        alive = f"key NOT GLOB '*[^0-9a-f]*' AND {_LIVE} AND {_IS_READABLE}"
        self.count = f"SELECT count(*) FROM {table} WHERE {alive}"
        self.keys = f"""SELECT key FROM {table} WHERE key > :after AND {alive}
            ORDER BY key LIMIT :size"""

    def _make_tables(self, prefix: str, table: str, schema: str) -> None:
        self.version = f"SELECT version FROM {schema}"
        self.columns = f"SELECT key, {', '.join(_NAMES)} FROM {table} LIMIT 0"
        self.schema_table = (
            f"CREATE TABLE IF NOT EXISTS {schema} (version INTEGER NOT NULL)",
            f"""INSERT INTO {schema} SELECT {SCHEMA_VERSION}
                WHERE NOT EXISTS (SELECT * FROM {schema})""",
        )
        self.replace_first = (
            f"DROP TABLE IF EXISTS {prefix}session_values",
            f"DROP TABLE IF EXISTS {table}",
            f"UPDATE {schema} SET version = {SCHEMA_VERSION}",
        )
        self.tables = _tables(table)

    def _purge(self, table: str) -> None:
        due = f"rowid IN (SELECT rowid FROM {table} WHERE purge_at < :now LIMIT :size)"
        self.postpone = f"""UPDATE {table} SET purge_at = expires_at + {PURGE_DELAY}
            WHERE {due} AND expires_at + {PURGE_DELAY} >= :now"""
        self.remove_due = f"""DELETE FROM {table}
            WHERE {due} AND (expires_at + {PURGE_DELAY} >= :now) IS NOT 1
            RETURNING typeof(ended_at) <> 'real'"""
        self.take_due = f"""DELETE FROM {table}
            WHERE {due} AND expires_at + {PURGE_DELAY} < :now AND typeof(ended_at) <> 'real'
            RETURNING {_RECORD}, ended_at, key"""
        self.take_expired = f"""DELETE FROM {table}
            WHERE key = :key AND expires_at <= :now AND typeof(ended_at) <> 'real'
            RETURNING {_RECORD}, ended_at"""


class UserStatements:
    """The SQL of the index of users for one prefix.

    A trigger removes an entry together with the row of its session. A purge looks at an entry after
    the time `check_at`. An entry is added before its session, so the first `check_at` leaves enough
    time to create the session. If the session exists when the purge looks, the purge sets
    `check_at` to the expiry of the entry. If not, the purge removes the entry.
    """

    def __init__(self, prefix: str) -> None:
        table, sessions = f"{prefix}session_users", f"{prefix}sessions"
        self.columns = f"SELECT user, key, until, check_at FROM {table} LIMIT 0"
        self.add = f"""INSERT INTO {table} VALUES (:user, :key, :until, :check_at)
            ON CONFLICT (user, key) DO UPDATE
            SET until = MAX(until, :until), check_at = MAX(check_at, :check_at)"""
        self.keys = f"SELECT key, until FROM {table} WHERE user = ?"
        self.remove = f"""DELETE FROM {table} WHERE user = ? AND (key, until) IN (
            SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]') FROM json_each(?))"""
        due = f"rowid IN (SELECT rowid FROM {table} WHERE check_at < :now LIMIT :size)"
        self.purge = (
            f"""DELETE FROM {table} WHERE {due} AND (until < :now
                OR NOT EXISTS (SELECT 1 FROM {sessions} WHERE {sessions}.key = {table}.key))""",
            f"UPDATE {table} SET check_at = until WHERE {due}",
        )
        self.tables = (
            f"""CREATE TABLE IF NOT EXISTS {table} (user TEXT NOT NULL, key TEXT NOT NULL,
                until REAL NOT NULL, check_at REAL NOT NULL, PRIMARY KEY (user, key))""",
            f"CREATE INDEX IF NOT EXISTS {table}_key ON {table} (key)",
            f"CREATE INDEX IF NOT EXISTS {table}_check ON {table} (check_at)",
            f"""CREATE TRIGGER IF NOT EXISTS {table}_gone AFTER DELETE ON {sessions} BEGIN
                DELETE FROM {table} WHERE key = OLD.key; END""",
        )


def _tables(table: str) -> tuple[str, ...]:
    return (
        # The row of an ended session has its key and the last two columns only.
        f"""CREATE TABLE IF NOT EXISTS {table} (key TEXT PRIMARY KEY NOT NULL,
            version INTEGER, created_at REAL, accessed_at REAL, updated_at REAL,
            expires_at REAL, timeout REAL, user_id TEXT, secret TEXT, secret_since REAL,
            grace_secret TEXT, grace_until REAL, ended_at REAL, purge_at REAL, data BLOB)""",
        f"CREATE INDEX IF NOT EXISTS {table}_purge ON {table} (purge_at)",
        f"""CREATE TRIGGER IF NOT EXISTS {table}_sooner AFTER UPDATE OF expires_at ON {table}
            WHEN NEW.expires_at + {PURGE_DELAY} < NEW.purge_at BEGIN
            UPDATE {table} SET purge_at = NEW.expires_at + {PURGE_DELAY} WHERE key = NEW.key;
            END""",
    )


def _set_each(value: str, but: int = 0) -> str:
    names = _NAMES[: len(_NAMES) - but]
    return ", ".join(f"{name} = {value.format(name)}" for name in names)
