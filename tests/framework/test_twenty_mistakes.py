"""The mistakes that everybody makes at first: each is told as docs/errors.md shows it."""

from pathlib import Path

import pytest

from tests.framework.errors_page import PAGE, Mistake, message_of, mistakes

MISTAKES = mistakes()


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.title)
def test_a_mistake_is_told_as_the_page_shows_it(
    mistake: Mistake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The whole message is the one on the page, to the letter."""
    assert message_of(mistake.program, tmp_path, monkeypatch) == mistake.message


def test_the_page_has_the_twenty_most_likely_mistakes() -> None:
    """Every section of the page is a mistake with its message, and there are more than twenty."""
    titles = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line[:3] == "## "]

    assert [f"## {mistake.title}" for mistake in MISTAKES if mistake.message] == titles
    assert len(titles) > 20


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.title)
def test_a_message_says_where_and_how_to_mend_it(mistake: Mistake) -> None:
    """Every message points into the program, or at a setting, and says what to do."""
    remedies = ("To mend it: ", "write ", "serve over ", "use it before ", "store its parts ")

    assert any(remedy in mistake.message for remedy in remedies)
