"""A store in one file that processes share, and that no process locks."""

import os
import pickle
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from tests.support.dictionary_store import DictionaryStore

_KEPT = 4


class UnlockedFileStore(DictionaryStore):
    """Read all records before a call, and write them back after it.

    Its lock keeps the threads of one process apart, and no processes.
    """

    def __init__(self, path: Path, clock: Callable[[], float]) -> None:
        super().__init__(clock)
        self.path = path

    def locked(self) -> AbstractContextManager[object]:
        return self._records_of_the_file()

    @contextmanager
    def _records_of_the_file(self) -> Iterator[None]:
        with self.lock:
            if self.path.exists():
                # The file is the test's own.
                self.records, self.endings = pickle.loads(self.path.read_bytes())  # noqa: S301
            yield
            # A few records are enough, and keep the file small.
            self.records = dict([*self.records.items()][-_KEPT:])
            self.endings = dict([*self.endings.items()][-_KEPT:])
            written = self.path.with_suffix(f".{os.getpid()}")
            written.write_bytes(pickle.dumps((self.records, self.endings)))
            written.replace(self.path)
