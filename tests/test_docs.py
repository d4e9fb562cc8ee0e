"""Every snippet of the README and the docs runs, and every link leads somewhere."""

import ast
import inspect
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import pytest

import framework
from sessions import AsyncStore, Changes, Record, Store

ROOT = Path(__file__).parent.parent
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))

FENCE = re.compile(r"^```(?P<language>\w*)[^\n]*\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL)
SAMPLE = re.compile(r"# (samples/\S+\.py)\b")
LINK = re.compile(r"\]\((?![a-z]+:|#)(?P<path>[^)#\s]+)")


class Snippet(NamedTuple):
    """A fenced block of a page."""

    language: str
    code: str
    line: int


def _snippets(page: Path) -> Iterator[Snippet]:
    text = page.read_text(encoding="utf-8")
    for block in FENCE.finditer(text):
        line = text.count("\n", 0, block.start("code"))
        yield Snippet(block["language"], block["code"], line)


def _program(page: Path) -> str:
    """Return the Python of a page, each line where it is in the page."""
    program = ""
    for snippet in _snippets(page):
        if snippet.language == "python":
            program += "\n" * (snippet.line - program.count("\n")) + snippet.code
    # A page may show a file of a sample, and then another one that imports it.
    for file in re.findall(r"^# (samples/\S+)\.py", program, re.MULTILINE):
        program = program.replace(f"from {file.replace('/', '.')} import", "# import")
    return program


@pytest.fixture
def page_module(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ModuleType:
    """Return an empty module, in a fresh folder, for the code of one page."""
    module = ModuleType("page")
    monkeypatch.setitem(sys.modules, "page", module)
    monkeypatch.chdir(tmp_path)
    return module


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_snippets_of_a_page_run_in_order(page: Path, page_module: ModuleType) -> None:
    """A reader who types the Python of a page from top to bottom sees no error."""
    for snippet in _snippets(page):
        if snippet.language == "python":
            # As many empty lines above as in the page: an error then names the page and its line.
            code = compile("\n" * snippet.line + snippet.code, str(page), "exec")
            exec(code, vars(page_module))  # noqa: S102


@pytest.mark.slow
def test_mypy_accepts_the_snippets(tmp_path: Path) -> None:
    """A reader whose type checker is strict can take the Python of every page as it is."""
    pytest.importorskip("mypy", reason="mypy is one of the tools of `make check`")
    for page in PAGES:
        module = tmp_path / f"page_{page.stem.replace('-', '_')}.py"
        module.write_text(_program(page), encoding="utf-8")

    # A page may show a second file, in which a name of the first one is used anew.
    options = ["--strict", "--disable-error-code=no-redef"]
    command = [sys.executable, "-m", "mypy", *options, str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)

    assert done.returncode == 0, done.stdout + done.stderr


PROGRAMS = (
    *PAGES,
    *sorted((ROOT / "samples").rglob("*.py")),
    *sorted((ROOT / "framework" / "project_template").rglob("*.py.template")),
)


@pytest.mark.parametrize("file", PROGRAMS, ids=lambda file: str(file.relative_to(ROOT)))
def test_the_session_is_asked_for_in_one_spelling(file: Path) -> None:
    """Handlers take `session: session`; other functions take `session: Session`."""
    found = [
        f"{function.name}({argument.arg})"
        for code in _python_of(file)
        for owner in ast.walk(ast.parse(code))
        if isinstance(owner, ast.ClassDef)
        for function in owner.body
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        and not re.match(r"_[^_]", function.name)
        for argument in function.args.args
        if isinstance(argument.annotation, ast.Name) and argument.annotation.id == "Session"
    ]

    assert found == []


@pytest.mark.parametrize("file", PROGRAMS, ids=lambda file: str(file.relative_to(ROOT)))
def test_a_name_of_the_framework_is_imported_from_the_framework(file: Path) -> None:
    """The docs import each name from one place."""
    imported = re.findall(
        r"^from framework\.[\w.]+ import (.+)$", "\n".join(_python_of(file)), re.M
    )
    names = {name.strip() for line in imported for name in line.split(",")}

    assert names.isdisjoint(framework.__all__)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_shows_samples_as_they_are(page: Path) -> None:
    """A snippet that names a sample file in its first line equals that file."""
    shown = [(found[1], s.code) for s in _snippets(page) if (found := SAMPLE.match(s.code))]

    assert shown == [(name, (ROOT / name).read_text(encoding="utf-8")) for name, _ in shown]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_shows_valid_toml(page: Path) -> None:
    """A snippet of TOML can be pasted into pyproject.toml."""
    for snippet in _snippets(page):
        if snippet.language == "toml":
            assert tomllib.loads(snippet.code)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_links_of_a_page_lead_somewhere(page: Path) -> None:
    """A relative link names a file that is there."""
    links = [found["path"] for found in LINK.finditer(page.read_text(encoding="utf-8"))]

    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("verb", ["load", "create", "commit", "touch", "delete", "purge", "close"])
def test_the_store_contract_says_what_the_methods_say(verb: str) -> None:
    """The page and the docstrings of a store have the same text."""
    assert _not_quoted(_paragraphs(getattr(Store, verb))) == []


@pytest.mark.parametrize("documented", [Store, AsyncStore, Record, Changes, Record.times_after])
def test_the_store_contract_says_what_the_code_says(documented: object) -> None:
    """The page quotes every paragraph after the first sentence of a docstring."""
    _, *rules = _paragraphs(documented)

    assert _not_quoted(rules) == []


def _python_of(file: Path) -> list[str]:
    if file.suffix != ".md":
        return [file.read_text(encoding="utf-8").replace("$", "")]
    return [snippet.code for snippet in _snippets(file) if snippet.language in ("python", "py")]


def _paragraphs(documented: object) -> list[str]:
    return [_words(text) for text in (inspect.getdoc(documented) or "").split("\n\n")]


def _not_quoted(paragraphs: list[str]) -> list[str]:
    """Return the paragraphs that the page does not quote."""
    page = (ROOT / "docs" / "store-contract.md").read_text(encoding="utf-8")
    quoted = _words(re.sub(r"^> ?", "", page, flags=re.MULTILINE))
    return [paragraph for paragraph in paragraphs if paragraph not in quoted]


def _words(text: str) -> str:
    return " ".join(text.split())
