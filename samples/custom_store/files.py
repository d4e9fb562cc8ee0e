# samples/custom_store/files.py: a store that keeps each session in a file of its own.
import fcntl
import hashlib
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import msgspec

from sessions import Changes, Ended, Outcome, Record, Store, StoreUnavailable
from sessions.errors import UnreadableValue
from sessions.stores.base import CALL_DEADLINE, PURGE_DELAY, REMEMBERED_FOR


class _Stored(msgspec.Struct):
    """The content of a file: a record, or the time when the session was ended."""

    record: Record | None = None
    ended_at: float | None = None


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Stored).decode
_NOTHING = _Stored()


class FileStore(Store):
    """Keep sessions in a folder, which several processes of one machine may share.

    A change holds a lock and replaces the whole file. A load needs no lock, because it reads either
    the old file or the new file.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self._folder = Path(folder)

    def load(self, key: str) -> Record | Ended | None:
        with self._errors():
            stored = self._read(key)
        if stored.ended_at is not None:
            is_recent = self.clock() - stored.ended_at < REMEMBERED_FOR
            return Ended(stored.ended_at) if is_recent else None
        return self._live(stored)

    def create(self, key: str, record: Record) -> bool:
        with self._locked(key):
            live = self._live_or_none(key)
            if live is not None:
                return live.secret == record.secret
            self._write(key, _Stored(record=record))
            return True

    def commit(self, key: str, changes: Changes) -> Outcome:
        with self._locked(key):
            record = self._live_or_none(key)
            if record is None:
                return Outcome.GONE
            outcome = record.outcome_of(changes, self.clock())
            if outcome is Outcome.APPLIED:
                self._write(key, _Stored(record=record.changed_by(changes, self.clock())))
            return outcome

    def touch(self, key: str, secret: str, expires_at: float, accessed_at: float) -> bool:
        with self._locked(key):
            record = self._live_or_none(key)
            if record is None or record.secret != secret:
                return False
            touched = record.touched(expires_at, accessed_at, self.clock())
            self._write(key, _Stored(record=touched))
            return True

    def delete(self, key: str, *, user_id: str | None = None) -> bool:
        with self._locked(key):
            record = self._live_or_none(key)
            if record is not None and user_id in (None, record.user_id):
                self._write(key, _Stored(ended_at=self.clock()))
                return True
            if record is None and user_id is None and not self._is_ended(key):
                # An expired or a damaged record contains data of a user, too.
                self._path(key).unlink(missing_ok=True)
            return False

    def purge(self, limit: int) -> int:
        removed = 0
        with self._errors():
            self._make_folder()
            latest = self.clock() - PURGE_DELAY
            for path in self._folder.glob("*.session"):
                if removed < limit and _is_older(path, latest):
                    with self._lock(path.stem):
                        removed += _remove(path, latest)
        return removed

    def _live_or_none(self, key: str) -> Record | None:
        """Return the live record; a damaged record does not count."""
        try:
            return self._live(self._read(key))
        except UnreadableValue:
            return None

    def _live(self, stored: _Stored) -> Record | None:
        record = stored.record
        return record if record is not None and record.expires_at > self.clock() else None

    def _is_ended(self, key: str) -> bool:
        try:
            return self._read(key).ended_at is not None
        except UnreadableValue:
            return False

    # Files

    def _read(self, key: str) -> _Stored:
        try:
            return _decode(self._path(key).read_bytes())
        except FileNotFoundError:
            return _NOTHING
        except msgspec.MsgspecError as error:
            raise UnreadableValue("the file of the session is damaged") from error

    def _write(self, key: str, stored: _Stored) -> None:
        path = self._path(key)
        new = path.with_suffix(".new")
        # Only the owner may read a session.
        with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(_encode(stored))
        until = stored.record.expires_at if stored.record else stored.ended_at or 0.0
        os.utime(new, (until, until))
        new.replace(path)

    def _path(self, key: str) -> Path:
        return self._folder / f"{_name(key)}.session"

    def _make_folder(self) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    @contextmanager
    def _locked(self, key: str) -> Iterator[None]:
        """Hold the lock of the key; turn the errors of files into StoreUnavailable."""
        with self._errors():
            self._make_folder()
            with self._lock(_name(key)):
                yield

    @contextmanager
    def _lock(self, name: str) -> Iterator[None]:
        # Keys share 256 locks, so that no lock has to be removed.
        with (self._folder / f"{name[:2]}.lock").open("wb") as file:
            _wait_for(file)
            yield

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise StoreUnavailable(f"the folder {self._folder} cannot be used: {error}") from error


def _is_older(path: Path, latest: float) -> bool:
    """Return whether the session of a file expired, or was ended, before `latest`."""
    try:
        return path.stat().st_mtime < latest
    except FileNotFoundError:
        return False


def _remove(path: Path, latest: float) -> int:
    """Remove a file if `_is_older` is still true; return 1 if the file had a record, else 0."""
    if not _is_older(path, latest):
        return 0
    try:
        stored = _decode(path.read_bytes())
    except msgspec.MsgspecError:
        stored = _NOTHING
    path.unlink()
    return 0 if stored.record is None else 1


def _name(key: str) -> str:
    """Return the name of a file: a hash, because a key can be any text."""
    return hashlib.sha256(key.encode()).hexdigest()


def _wait_for(file: BinaryIO) -> None:
    """Lock a file, within the time that a call may take."""
    deadline = time.monotonic() + CALL_DEADLINE
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.001)
