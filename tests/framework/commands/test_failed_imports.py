"""An application whose modules cannot be imported: what the commands report."""

from pathlib import Path

import pytest

from tests.support.commands import Framework


@pytest.mark.parametrize("command", ["check", "routes"])
@pytest.mark.parametrize(
    "way",
    [
        "sys.exit('no setting')",
        "sys.exit(0)",
        "exit()",
        "raise SystemExit",
        "argparse.ArgumentParser().parse_args(['-h'])",
    ],
)
def test_an_exit_at_import_is_a_mistake(framework: Framework, command: str, way: str) -> None:
    """A check in a CI build must not pass because the module called sys.exit()."""
    Path("app.py").write_text(f"import argparse, sys\n{way}\n")
    result = framework(command)

    assert result.exit_code == 1
    assert "app:app cannot be imported:" in result.output
    assert 'app.py", line 2, in <module>\n' in result.output
    assert "\nSystemExit" in result.output
