# samples/notes/repositories.py: the users and their notes, in one SQLite file.
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass

from werkzeug.security import check_password_hash, generate_password_hash

from framework import component, repository

SCHEMA = """
CREATE TABLE IF NOT EXISTS users (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE COLLATE NOCASE, password TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS notes (
    id INTEGER PRIMARY KEY, owner INTEGER NOT NULL REFERENCES users, text TEXT NOT NULL,
    written TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE INDEX IF NOT EXISTS notes_by_owner ON notes (owner);
"""


@dataclass(frozen=True)
class User:
    id: int
    name: str


@dataclass(frozen=True)
class Note:
    id: int
    text: str
    written: str  # UTC


class NameTaken(Exception): ...


@component
class Database:
    def __init__(self, path: str = "notes.db") -> None:
        self._path = path
        with self.transaction() as connection:
            connection.executescript(SCHEMA)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self._path)) as connection, connection:
            yield connection


@repository
class Users:
    def __init__(self, database: Database) -> None:
        self._database = database
        # Checked if no user has the name, so that the time of the answer does not show this.
        self._nobody = generate_password_hash(secrets.token_hex())

    def register(self, name: str, password: str) -> User:
        row = (name, generate_password_hash(password))
        try:
            with self._database.transaction() as connection:
                added = connection.execute("INSERT INTO users (name, password) VALUES (?, ?)", row)
        except sqlite3.IntegrityError as error:
            raise NameTaken(name) from error
        return User(added.lastrowid or 0, name)

    def log_in(self, name: str, password: str) -> User | None:
        query = "SELECT id, name, password FROM users WHERE name = ?"
        with self._database.transaction() as connection:
            found = connection.execute(query, (name,)).fetchone()
        user_id, name, kept = found or (0, name, self._nobody)
        fits = check_password_hash(kept, password)
        return User(user_id, name) if found and fits else None


@repository
class Notes:
    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, owner: User) -> list[Note]:
        query = "SELECT id, text, written FROM notes WHERE owner = ? ORDER BY id DESC"
        with self._database.transaction() as connection:
            return [Note(*row) for row in connection.execute(query, (owner.id,))]

    def add(self, owner: User, text: str) -> None:
        with self._database.transaction() as connection:
            connection.execute("INSERT INTO notes (owner, text) VALUES (?, ?)", (owner.id, text))

    def delete(self, owner: User, note_id: int) -> bool:
        statement = "DELETE FROM notes WHERE id = ? AND owner = ?"
        with self._database.transaction() as connection:
            return connection.execute(statement, (note_id, owner.id)).rowcount == 1
