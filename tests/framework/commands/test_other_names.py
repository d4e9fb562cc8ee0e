"""Commands and options of other frameworks: the error names the right one."""

import pytest

from tests.support.commands import Framework


@pytest.mark.parametrize(
    ("words", "remedy"),
    [
        (["runserver"], "use framework run"),
        (["serve"], "use framework run"),
        (["startproject", "shop"], "use framework new NAME"),
        (["show_urls"], "use framework routes"),
        (["test"], "use python -m pytest"),
        (["migrate"], "use a migration tool such as alembic"),
        (["clearsessions"], "use framework sessions purge"),
        (["xylophone"], "write one of check, explain, new, routes, run, secret, sessions, shell"),
        (["chekc"], "write one of check, explain"),
        (["run", "--workers", "4"], "give workers to gunicorn"),
        (["run", "--bind", "x"], "write --host 127.0.0.1 --port 8000"),
        (["check", "--app", "x"], "as the last argument, as in shop.app:app"),
        (["routes", "--xylophone"], "the options are --json"),
    ],
)
def test_a_foreign_command_or_option_is_named(
    framework: Framework, words: list[str], remedy: str
) -> None:
    """The last line says what to write."""
    result = framework(*words)

    assert result.exit_code == 2
    assert f"Fix: {remedy}" in result.output or remedy in result.output
    assert "Fix: " in result.output
