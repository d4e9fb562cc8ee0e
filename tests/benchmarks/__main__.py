"""Measure and print: `make bench`."""

import cProfile
import pstats
import tempfile
from pathlib import Path

import click

from tests.benchmarks.contenders import WRITE, contenders, verify_persisted
from tests.benchmarks.measuring import Contender, measure
from tests.benchmarks.report import Results

PAGE = Path("docs/benchmarks.md")
ROUNDS = 900


@click.command()
@click.option("--rounds", default=ROUNDS, show_default=True, help="Rounds per contender.")
@click.option("--markdown", is_flag=True, help=f"Write {PAGE} too.")
@click.option("--profile", is_flag=True, help="Show where the time of each missed target goes.")
def main(*, rounds: int, markdown: bool, profile: bool) -> None:
    """Measure the cost of one request, against the peers."""
    click.echo(f"Measuring {rounds} rounds of each contender ...")
    with tempfile.TemporaryDirectory() as folder:
        results, measured = run(folder, rounds=rounds)
        click.echo(results.text())
        if profile:
            for target in results.missed():
                _profile(measured[target.group, target.ours])
    if markdown:
        PAGE.write_text(results.markdown(), encoding="utf-8")
        click.echo(f"\nWrote {PAGE}")


def run(folder: str, *, rounds: int) -> tuple[Results, dict[tuple[str, str], Contender]]:
    """Verify, measure, and verify again that the timed writes were kept."""
    everyone = list(contenders(f"{folder}/sessions.db"))
    results = Results(measure(everyone, rounds=rounds))
    for contender in everyone:
        if contender.group == WRITE:
            verify_persisted(contender, at_least=rounds)
    return results, {(each.group, each.name): each for each in everyone}


def _profile(contender: Contender) -> None:
    click.echo(f"\nProfile of {contender.group}, {contender.name}:")
    with cProfile.Profile() as profile:
        measure([contender], rounds=50)
    pstats.Stats(profile).sort_stats("cumulative").print_stats(30)


if __name__ == "__main__":
    main()
