"""A run that must not skip what could be there fails, and says which tests and why."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
CONFTEST = "from tests.conftest import pytest_configure"

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("parallel", [(), ("-p", "xdist", "-n", "1")], ids=["alone", "parallel"])
@pytest.mark.parametrize(
    "left_out",
    [
        'def test(): pytest.skip("no server is here")',
        'import pytest\n@pytest.mark.skipif(True, reason="no server is here")\ndef test(): ...',
        'pytest.importorskip("no_module", reason="no server is here")',
    ],
    ids=["in a test", "by a mark", "the whole file"],
)
def test_an_avoidable_skip_fails_the_run(
    tmp_path: Path, left_out: str, parallel: tuple[str, ...]
) -> None:
    """Wherever it is."""
    status, output = _run(tmp_path, f"import pytest\n{left_out}\ndef test_good(): ...", *parallel)

    assert status != 0, output
    assert "skips that could have been avoided" in output
    assert "no server is here: 1, such as test_these.py" in output
    assert "Fix: " in output


def test_an_unavoidable_skip_is_none(tmp_path: Path) -> None:
    """Nor is a test that is expected to fail."""
    source = """import pytest
def test_skipped(): pytest.skip("this system has no fork, it says")
@pytest.mark.xfail(strict=True)
def test_bad(): assert False
"""
    status, output = _run(tmp_path, source)

    assert status == 0, output
    assert "avoided" not in output


def _run(folder: Path, source: str, *options: str) -> tuple[int, str]:
    (folder / "conftest.py").write_text(CONFTEST)
    (folder / "test_these.py").write_text(source)
    (folder / "pytest.ini").write_text("[pytest]")
    environment = {
        **os.environ,
        "FAIL_ON_SKIPS": "1",
        "PYTHONPATH": str(ROOT),
        # The other plugins take long to start, and have no part in this.
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    }
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *options],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr
