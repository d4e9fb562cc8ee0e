# samples/custom_store/test_files.py: run it with pytest. Every test comes from StoreContract.
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from samples.custom_store.files import FileStore
from sessions import Store
from sessions.testing import StoreContract


class TestFileStore(StoreContract):
    @pytest.fixture(autouse=True)
    def in_a_new_folder(self, tmp_path: Path) -> None:
        self.folder = tmp_path / "sessions"

    def make_store(self, clock: Callable[[], float]) -> Store:
        return open_store(self.folder, clock)

    def open_in_another_process(self, store: Store) -> Callable[[], Store]:
        return partial(open_store, self.folder, store.clock)

    def break_store(self, store: Store) -> None:
        self.folder.rename(self.folder.with_name("moved"))
        self.folder.write_text("this is not a folder")

    def damage_record(self, store: Store, key: str) -> None:
        (path,) = self.folder.glob("*.session")
        path.write_bytes(b"this is not a record")


def open_store(folder: Path, clock: Callable[[], float]) -> FileStore:
    store = FileStore(folder)
    store.clock = clock
    return store
