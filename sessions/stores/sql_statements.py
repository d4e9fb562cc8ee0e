"""The SQL of the SQL store, for PostgreSQL and for MariaDB or MySQL.

A session is one row. Its values are one JSON object. The names and the values are in base64,
because a JSON text of a server cannot contain every character. The column `places` has a number for
each name, in the order in which the names were first set. A commit is one UPDATE, which merges the
changes into the present row.
"""

# The SQL text contains only the name of the store's own table; all values are parameters.
# ruff: noqa: S608

import re
from typing import NamedTuple

from sessions.record import CLOCK_TOLERANCE
from sessions.stores.base import PURGE_DELAY, REMEMBERED_FOR

_RECORD = (
    *("version", "created_at", "accessed_at", "updated_at", "timeout", "user_id", "secret"),
    *("secret_since", "grace_secret", "grace_until", "data", "places", "next_place", "ended_at"),
    *("purge_at", "expires_at"),
)
_LOADED = (
    *("version", "created_at", "accessed_at", "updated_at", "expires_at", "timeout", "user_id"),
    *("secret", "secret_since", "grace_secret", "grace_until"),
)
# These columns must have a value. All methods except `load` ignore a row without one of them.
_NEEDED = (
    *("version", "created_at", "accessed_at", "updated_at", "secret", "secret_since"),
    *("data", "places", "next_place"),
)
_KEPT_OF_ENDED = frozenset(("version", "ended_at", "purge_at", "expires_at"))

_TYPES = {
    **dict.fromkeys(("key", "after", "secret", "new_secret", "grace_secret", "numbered"), "text"),
    **dict.fromkeys(("sets", "expected", "data", "places"), "jsonb"),
    **dict.fromkeys(("damaged_data", "damaged_places"), "text"),
    **dict.fromkeys(("removed", "absent", "keys"), "text[]"),
    **dict.fromkeys(("user",), "text"),
    **dict.fromkeys(("untils",), "float8[]"),
    **dict.fromkeys(("keeps_later", "keeps", "sets_user", "clear"), "boolean"),
    **dict.fromkeys(("version", "size"), "integer"),
    **dict.fromkeys(("next_place",), "bigint"),
    "user_id": "bytea",
}
"""The types of the parameters in PostgreSQL; all other parameters are times."""

# The changes of a purge. `rows` is the name of the table, in some cases with an index to use.
# `table` is the name alone, or empty.
_POSTPONE = f"UPDATE {{rows}} SET purge_at = expires_at + {PURGE_DELAY}"
_REMOVE = "DELETE {table} FROM {rows}"

_PARAMETER = re.compile(r"(?<!:):([a-z]\w*)")


class Statement(NamedTuple):
    """A statement for a driver, and the names of its parameters in order."""

    text: str
    names: tuple[str, ...]


class Batch(NamedTuple):
    """A change of some rows; it skips the rows that another call has locked.

    In MariaDB and MySQL, `find` finds the keys of the rows, and locks nothing. Then `lock` locks
    the rows by their keys, in one transaction with the change. Every call first locks the row, and
    then the entry of the row in the index of `purge_at`. So no two calls wait for each other.
    """

    change: Statement
    find: Statement | None = None
    lock: Statement | None = None


class Language(NamedTuple):
    """The SQL expressions that differ between PostgreSQL and MySQL."""

    is_numbered: bool
    """Whether a parameter is written `$1::type`; if not, it is written `%(name)s`."""
    present: str
    data: str
    places: str
    agrees: str
    if_new: str
    text: str
    """The expression that reads a JSON column."""
    if_entered: str
    remove_entries: str
    some: str
    """The change of some rows of the index."""


POSTGRESQL = Language(
    is_numbered=True,
    present="extract(epoch FROM statement_timestamp())::float8",
    data="(({data}) || :sets) - :removed",
    places="(replace(:numbered, '@', next_place::text)::jsonb || ({places})) - :removed",
    agrees="data @> :expected AND NOT (data ?| :absent)",
    if_new="ON CONFLICT (session_key) DO UPDATE SET {columns} WHERE NOT ({live})",
    text="{}::text",
    if_entered="""ON CONFLICT (user_hash, session_key) DO UPDATE
        SET live_until = GREATEST({table}.live_until, excluded.live_until),
        check_at = GREATEST({table}.check_at, excluded.check_at)""",
    remove_entries="""DELETE FROM {table} USING unnest(:keys, :untils) AS gone (gone_key, until)
        WHERE user_hash = :user AND session_key = gone_key AND live_until <= until""",
    some="""{change} WHERE ctid = ANY(ARRAY(SELECT ctid FROM {table} WHERE {condition}
        LIMIT :size FOR UPDATE SKIP LOCKED)) AND {condition}""",
)
MYSQL = Language(
    is_numbered=False,
    present="UNIX_TIMESTAMP(NOW(6)) + 0e0",
    data="JSON_MERGE_PATCH({data}, :sets, :removed)",
    places="JSON_MERGE_PATCH(REPLACE(:numbered, '@', next_place), {places}, :removed)",
    agrees="""JSON_CONTAINS(data, :expected)
        AND JSON_LENGTH(JSON_MERGE_PATCH(data, :absent)) = JSON_LENGTH(data)""",
    if_new="",
    text="{}",
    if_entered="""ON DUPLICATE KEY UPDATE live_until = GREATEST(live_until, VALUES(live_until)),
        check_at = GREATEST(check_at, VALUES(check_at))""",
    remove_entries="""DELETE FROM {table} WHERE user_hash = :user
        AND JSON_EXTRACT(:entries, CONCAT('$."', session_key, '"')) + 0e0 >= live_until""",
    some="{change} WHERE {condition} LIMIT :size",
)


class Statements:
    """The statements for one kind of server and one table.

    `purge_at` is the time when a purge looks at the row. If a request makes the expiry later,
    `purge_at` stays. Then the purge comes too early, and sets a later `purge_at`. So most commits
    change no column that has an index. If a request makes the expiry earlier, `purge_at` changes
    too, so no purge comes too late.

    MariaDB and MySQL assign the columns one after the other, so a column is assigned after the
    columns that need its old value.
    """

    def __init__(self, language: Language, table: str) -> None:
        self._language = language
        self._table = table
        self._now = f"COALESCE(:now, {language.present})"
        self._live = self._live_of("")
        self._keep()
        self._use_and_end()
        self._purge()
        self._expire()
        self._list()

    def _keep(self) -> None:
        table, say = self._table, self._language
        self.load = self._made(f"""SELECT {self._columns}
            FROM {table} WHERE session_key = :key AND CASE WHEN ended_at IS NULL
            THEN expires_at > {self._now} ELSE {self._now} < ended_at + {REMEMBERED_FOR} END""")
        columns = [name for name in _RECORD if name != "ended_at"]
        new = f"""INSERT INTO {table} (session_key, {", ".join(columns)})
            VALUES (:key, {", ".join(f":{name}" for name in columns)})"""
        excluded = ", ".join(f"{name} = excluded.{name}" for name in _RECORD)
        live = self._live_of(f"{table}.")
        self.create = self._made(f"{new} {say.if_new.format(columns=excluded, live=live)}")
        again = ", ".join(f"{name} = :{name}" for name in columns)
        self.create_again = self._made(f"""UPDATE {table} SET ended_at = NULL, {again}
            WHERE session_key = :key AND NOT ({self._live})""")
        self._commit()

    def _commit(self) -> None:
        table, say = self._table, self._language
        self.commit_values = self._made(f"""UPDATE {table} SET {self._merged("data", "places")},
            created_at = {self._created}, {self._changed}
            WHERE session_key = :key AND {self._live} AND {say.agrees}
            AND (secret = :secret OR (grace_secret = :secret AND {self._now} < grace_until))""")
        empty_or = "CASE WHEN :clear THEN '{{}}' ELSE {} END"
        if say.is_numbered:
            empty_or = empty_or.replace("'{{}}'", "'{{}}'::jsonb")
        merged = self._merged(empty_or.format("data"), empty_or.format("places"))
        self.commit = self._made(f"""UPDATE {table} SET {merged},
            created_at = COALESCE(:created_at, {self._created}), {self._changed}, {self._renewed}
            WHERE session_key = :key AND {self._live} AND {say.agrees}
            AND secret = :secret AND (:new_secret IS NULL OR secret <> :new_secret)""")

    def _use_and_end(self) -> None:
        self.touch = self._made(f"""UPDATE {self._table} SET created_at = {self._created},
            updated_at = {self._updated}, {self._used}
            WHERE session_key = :key AND {self._live} AND secret = :secret""")
        gone = ", ".join(f"{name} = NULL" for name in _RECORD if name not in _KEPT_OF_ENDED)
        self.end = self._made(f"""UPDATE {self._table} SET {gone}, ended_at = {self._now},
            purge_at = {self._now} + {REMEMBERED_FOR}, expires_at = {self._now}
            WHERE session_key = :key AND {self._live}
            AND (:user_id IS NULL OR user_id = :user_id)""")
        self.remove_dead = self._made(f"""DELETE FROM {self._table}
            WHERE session_key = :key AND ended_at IS NULL AND NOT ({self._live})
            AND (NOT :keeps OR expires_at > {self._now})""")
        data, places = (self._language.text.format(name) for name in ("data", "places"))
        self.remove_damaged = self._made(f"""DELETE FROM {self._table}
            WHERE session_key = :key AND secret = :secret
            AND {data} = :damaged_data AND {places} = :damaged_places""")

    def _purge(self) -> None:
        is_due = f"purge_at < {self._now}"
        is_over = f"{is_due} AND expires_at + {PURGE_DELAY} < {self._now}"
        extended = f"{is_due} AND NOT expires_at + {PURGE_DELAY} < {self._now}"
        records, ended = (f"{is_over} AND ended_at IS {kind}" for kind in ("NULL", "NOT NULL"))
        columns = f"session_key, {self._columns}"
        self.postponing = self._batch(_POSTPONE, extended)
        self.removing = self._batch(_REMOVE, records)
        self.forgetting = self._batch(_REMOVE, ended)
        self.taking = self._batch(_REMOVE, records, columns)
        self.users = UserStatements(self._language, self._table)
        some = ((_POSTPONE, extended), (_REMOVE, records), (_REMOVE, ended))
        self.purges = (*(self._made(self._some(*one)) for one in some), *self.users.purges)

    def _expire(self) -> None:
        expired = f"session_key = :key AND ended_at IS NULL AND expires_at <= {self._now}"
        self.find_expired = self._made(f"SELECT {self._columns} FROM {self._table} WHERE {expired}")
        self.remove_expired = self._made(
            f"DELETE FROM {self._table} WHERE {expired} AND secret = :secret"
        )

    def _list(self) -> None:
        some = f"""FROM {self._table} WHERE session_key > :after AND {self._live}
            ORDER BY session_key LIMIT :size"""
        self.page = self._made(f"SELECT session_key, {self._columns} {some}")
        self.count = self._made(
            f"SELECT COUNT(*), MAX(session_key) FROM (SELECT session_key {some}) AS counted"
        )

    def _batch(self, change: str, condition: str, columns: str = "") -> Batch:
        """Return a `Batch`: it changes rows that meet the condition, and reads their `columns`."""
        if self._language.is_numbered:
            returning = f" RETURNING {columns}" if columns else ""
            return Batch(self._made(self._some(change, condition) + returning))
        table, named = self._table, "session_key IN :keys"
        by_key = f"{table} FORCE INDEX (PRIMARY)"
        find = f"SELECT session_key FROM {table} WHERE {condition} LIMIT :size"
        lock = f"""SELECT {columns or "session_key"} FROM {by_key} WHERE {named} AND {condition}
            FOR UPDATE SKIP LOCKED"""
        changed = f"{change.format(table=table, rows=by_key)} WHERE {named}"
        return Batch(self._made(changed), self._made(find), self._made(lock))

    def _some(self, change: str, condition: str) -> str:
        text = change.format(table="", rows=self._table)
        if not self._language.is_numbered:
            return f"{text} WHERE {condition} LIMIT :size"
        # A row that a request has locked is left for the next purge.
        some = f"""SELECT session_key FROM {self._table} WHERE {condition} LIMIT :size
            FOR UPDATE SKIP LOCKED"""
        return f"{text} WHERE session_key = ANY(ARRAY({some})) AND {condition}"

    @property
    def _columns(self) -> str:
        """Return the columns that `found_in` reads."""
        texts = [self._language.text.format(name) for name in ("data", "places")]
        return ", ".join((*_LOADED, *texts, "ended_at", self._now))

    def _merged(self, data: str, places: str) -> str:
        say = self._language
        return f"""data = {say.data.format(data=data)}, places = {say.places.format(places=places)},
            next_place = next_place + 1"""

    def _live_of(self, table: str) -> str:
        """Return the condition for a live record; its result is true or false, and never NULL."""
        needed = " AND ".join(f"{table}{name} IS NOT NULL" for name in _NEEDED)
        return f"""{table}expires_at > {self._now} AND {table}ended_at IS NULL AND {needed}
            AND ({table}grace_secret IS NULL OR {table}grace_until IS NOT NULL)"""

    # These calculate the times as `Record.times_after` does.

    @property
    def _ahead(self) -> str:
        return f"{self._now} + {CLOCK_TOLERANCE}"

    @property
    def _is_earlier(self) -> str:
        return f"(accessed_at <= {self._ahead} AND :accessed_at < accessed_at)"

    @property
    def _created(self) -> str:
        return f"CASE WHEN created_at > {self._ahead} THEN {self._now} ELSE created_at END"

    @property
    def _updated(self) -> str:
        return f"CASE WHEN updated_at > {self._ahead} THEN {self._now} ELSE updated_at END"

    @property
    def _used(self) -> str:
        expires = f"""CASE WHEN {self._is_earlier} OR (accessed_at <= {self._ahead}
            AND :keeps_later AND timeout IS NOT NULL AND :expires_at < expires_at)
            THEN expires_at ELSE :expires_at END"""
        return f"""purge_at = LEAST(purge_at, {expires} + {PURGE_DELAY}), expires_at = {expires},
            accessed_at = CASE WHEN {self._is_earlier} THEN accessed_at ELSE :accessed_at END"""

    @property
    def _changed(self) -> str:
        return f"""updated_at = CASE WHEN {self._is_earlier} THEN {self._updated}
            ELSE :updated_at END, {self._used}"""

    @property
    def _renewed(self) -> str:
        return f"""user_id = CASE WHEN :sets_user THEN :user_id ELSE user_id END,
            timeout = CASE WHEN :keeps_later THEN timeout ELSE :timeout END,
            grace_secret = CASE WHEN :new_secret IS NULL THEN grace_secret
                WHEN :grace IS NULL THEN NULL ELSE secret END,
            grace_until = CASE WHEN :new_secret IS NULL THEN grace_until ELSE :grace END,
            secret_since = CASE WHEN :new_secret IS NULL THEN secret_since ELSE {self._now} END,
            secret = COALESCE(:new_secret, secret)"""

    def _made(self, text: str) -> Statement:
        return made(self._language, text)


class UserStatements:
    """The statements of the index of users, for one kind of server and one table of sessions.

    A purge looks at an entry after the time `check_at`. An entry is added before its session, so
    the first `check_at` leaves enough time to create the session. If the session exists when the
    purge looks, the purge sets `check_at` to a time after the present expiry of the session.
    """

    def __init__(self, language: Language, sessions: str) -> None:
        table = users_of(sessions)
        now = f"COALESCE(:now, {language.present})"
        self.add = made(
            language,
            f"""INSERT INTO {table} (user_hash, session_key, live_until, check_at)
            VALUES (:user, :key, :until, {now} + {2 * REMEMBERED_FOR})
            {language.if_entered.format(table=table)}""",
        )
        self.keys = made(
            language, f"SELECT session_key, live_until FROM {table} WHERE user_hash = :user"
        )
        self.remove = made(language, language.remove_entries.format(table=table))
        expires = f"(SELECT expires_at FROM {sessions} WHERE session_key = {table}.session_key)"
        later = f"LEAST(live_until, COALESCE({expires}, live_until) + {PURGE_DELAY})"
        is_due = f"check_at < {now}"
        is_over = f"{is_due} AND (live_until < {now} OR {expires} IS NULL)"
        later = f"SET check_at = GREATEST({later}, {now} + {PURGE_DELAY})"
        self.purges = tuple(
            made(language, language.some.format(table=table, change=change, condition=condition))
            for change, condition in (
                (f"DELETE FROM {table}", is_over),
                (f"UPDATE {table} {later}", is_due),
            )
        )


def users_of(sessions: str) -> str:
    """Return the name of the table with the index of users; `sessions` is the table of sessions."""
    return f"{sessions.removesuffix('sessions')}session_users"


def made(language: Language, text: str) -> Statement:
    """Return a statement with its parameters written as the drivers of the server need them."""
    text = " ".join(text.split())
    names: dict[str, int] = {}
    for name in _PARAMETER.findall(text):
        names.setdefault(name, len(names) + 1)

    def parameter(match: re.Match[str]) -> str:
        name = match[1]
        if language.is_numbered:
            return f"${names[name]}::{_TYPES.get(name, 'float8')}"
        return f"%({name})s"

    return Statement(_PARAMETER.sub(parameter, text), tuple(names))
