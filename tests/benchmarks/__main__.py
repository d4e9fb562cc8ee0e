"""Measure and print: `make bench`."""

import cProfile
import pstats
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import click

from tests.benchmarks import contenders as c
from tests.benchmarks import worker as w
from tests.benchmarks.measuring import Contender, Timed, measure
from tests.benchmarks.pieces import pieces
from tests.benchmarks.report import Results, Target
from tests.benchmarks.servers import NoServerError, in_servers
from tests.benchmarks.start_up import SIZES, measured
from tests.benchmarks.versions import NOW, ROOT, NoRevisionError, beside, checked_out, name_of

PAGE = Path("docs/benchmarks.md")
ROUNDS = 900
BEFORE = "ec95a5c"

Contenders = dict[tuple[str, str], Contender]

IN_THIS_PROCESS = {
    name_of(w.HELLO, NOW): (c.HELLO, c.OURS),
    name_of(w.MEMORY_READ, NOW): (c.READ, c.MEMORY),
    name_of(w.MEMORY_WRITE, NOW): (c.WRITE, c.MEMORY),
    name_of(w.SQLITE_READ, NOW): (c.READ, c.SQLITE),
    name_of(w.SQLITE_WRITE, NOW): (c.WRITE, c.SQLITE),
}
"""The contenders that do what the cases of this version do."""


@click.command()
@click.option("--rounds", default=ROUNDS, show_default=True, help="Rounds per contender.")
@click.option(
    "--before", default=BEFORE, show_default=True, help="The revision to measure beside this one."
)
@click.option("--markdown", is_flag=True, help=f"Write {PAGE} too.")
@click.option("--profile", is_flag=True, help="Show where the time of each missed target goes.")
def main(*, rounds: int, before: str, markdown: bool, profile: bool) -> None:
    """Measure the cost of one request, against the peers and against an earlier version."""
    click.echo(f"Measuring {rounds} rounds of each contender ...")
    with tempfile.TemporaryDirectory() as folder:
        results, measured = run(folder, rounds=rounds, before=before)
        click.echo(results.text())
        if profile:
            for contender in {_contender(target, measured): None for target in results.missed()}:
                _profile(contender)
    if markdown:
        PAGE.write_text(results.markdown(), encoding="utf-8")
        click.echo(f"\nWrote {PAGE}")


def run(folder: str, *, rounds: int, before: str) -> tuple[Results, Contenders]:
    """Verify, measure, and verify again that the timed writes were kept."""
    peers = list(c.contenders(f"{folder}/sessions.db"))
    with ExitStack() as stack:
        versions = _versions(before, stack)
        servers = _servers(Path(folder), stack)
        everyone: list[Timed] = [*peers, *pieces(), *servers, *versions]
        seconds = measure(everyone, rounds=rounds)
    for contender in peers:
        if contender.group == c.WRITE:
            c.verify_persisted(contender, at_least=rounds)
    start_ups = [measured(ROOT, controllers) for controllers in SIZES]
    results = Results(seconds, before=before if versions else None, start_ups=start_ups)
    return results, {(contender.group, contender.name): contender for contender in peers}


def _versions(before: str, stack: ExitStack) -> Sequence[Timed]:
    """Return the cases of this version and of the one before, as long as the stack is open."""
    try:
        root = stack.enter_context(checked_out(before))
    except NoRevisionError as error:
        click.echo(f"Nothing beside {before}, for {error}")
        return []
    return stack.enter_context(beside(root))


def _servers(folder: Path, stack: ExitStack) -> Sequence[Timed]:
    """Return the sessions in servers, which run as long as the stack is open."""
    try:
        return stack.enter_context(in_servers(folder))
    except NoServerError as error:
        click.echo(f"Nothing in servers, for {error}")
        return []


def _contender(target: Target, measured: Contenders) -> Contender:
    """Return who missed a target; for a version, whose process is over, the same request here."""
    return measured[IN_THIS_PROCESS.get(target.ours, (target.group, target.ours))]


def _profile(contender: Contender) -> None:
    click.echo(f"\nProfile of {contender.group}, {contender.name}:")
    with cProfile.Profile() as profile:
        measure([contender], rounds=50)
    pstats.Stats(profile).sort_stats("tottime").print_stats(30)


if __name__ == "__main__":
    main()
