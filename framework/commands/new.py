"""`framework new`: writes the files of a new project."""

import keyword
import re
import sys
from importlib.util import find_spec
from pathlib import Path
from string import Template

import click

from framework.advice.collisions import NAMES, collision_in
from framework.commands.other_names import Command

TEMPLATE = Path(__file__).parent.parent / "project_template"
# The files of the template have this ending, because they are not modules of this package.
SUFFIX = ".template"
# The name of the project replaces this word in the path of a file.
PACKAGE = "package"


@click.command(cls=Command, short_help="Write a new project, with tests.")
@click.argument("name", required=False)
def new(name: str | None) -> None:
    """Write a project with a controller, a service, sessions and tests."""
    if name is None:
        raise click.ClickException("the name is missing. Fix: write framework new shop")
    _refuse_unfit(name)
    folder = Path(name)
    try:
        folder.mkdir()
    except OSError as error:
        raise click.ClickException(
            f"The folder {name!r} cannot be made: {error.strerror}. "
            "Fix: choose another name, or go to another folder."
        ) from None
    for source in sorted(TEMPLATE.rglob(f"*{SUFFIX}")):
        _write(source, folder, name)
    click.echo(
        f"Wrote {name}/. Next:\n\n"
        f"  cd {name}\n"
        "  framework run                       # http://127.0.0.1:8000\n"
        "  python -m pip install pytest mypy   # once, for its tests\n"
        "  python -m pytest"
    )
    message = collision_in(Path.cwd())
    if message is not None:
        click.echo(f"\nNothing that runs in {Path.cwd()} can use Satsuma. {message}", err=True)


def _refuse_unfit(name: str) -> None:
    """Refuse a name that a module cannot have, or that another module has."""
    if not _is_fit(name):
        raise click.ClickException(
            f"{name!r} cannot be the name of a package. Fix: use lowercase letters, digits and"
            f" '_', such as {_similar(name)!r}, and not a Python keyword."
        )
    if name in {"tests", *NAMES, *sys.stdlib_module_names} or _is_installed(name):
        raise click.ClickException(
            f"{name!r} is the name of another module, which the project would hide. "
            "Fix: choose another name."
        )


def _is_fit(name: str) -> bool:
    return bool(re.fullmatch(r"[a-z][a-z0-9_]*", name)) and not keyword.iskeyword(name)


def _similar(name: str) -> str:
    similar = re.sub(r"[-. ]+", "_", name.lower())
    return similar if _is_fit(similar) else "shop"


def _is_installed(name: str) -> bool:
    # A file or folder of this name gives a clearer error when the folder of the project is made.
    return not Path(name).exists() and find_spec(name) is not None


def _write(source: Path, folder: Path, name: str) -> None:
    path = source.relative_to(TEMPLATE).as_posix().removesuffix(SUFFIX)
    target = folder / path.replace(PACKAGE, name)
    target.parent.mkdir(exist_ok=True)
    text = Template(source.read_text(encoding="utf-8")).substitute(name=name)
    target.write_text(text, encoding="utf-8")
