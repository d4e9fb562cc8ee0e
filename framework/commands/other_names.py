"""Commands and options of other frameworks, and what to write instead in this framework."""

from typing import Any

import click

_COMMANDS = {
    "runserver serve server start dev up": "framework run",
    "startproject startapp init create generate g": "framework new NAME",
    "urls show_urls show-urls route list": "framework routes",
    "lint validate doctor verify": "framework check",
    "console repl": "framework shell",
    "secret-key genkey generate-key keygen": "framework secret",
    "test": "python -m pytest",
    "deploy prod": "a server such as gunicorn, after framework check --deploy",
    "migrate makemigrations db": "a migration tool such as alembic, or, for the table of the"
    " sessions, framework sessions migrate",
    "clearsessions clear-sessions clear_sessions": "framework sessions purge",
    "version": "framework --version",
}
_OPTIONS = {
    "--workers --threads -w": "framework run is for development: give workers to gunicorn",
    "--debug --debugger": "leave the option out: the debugger is on where a debugger is safe",
    "--bind -b --addr --address": "write --host 127.0.0.1 --port 8000",
    "--app --settings -A": "write the application as the last argument, as in shop.app:app",
    "--autoreload": "leave the option out: --reload is on",
}


class Commands(click.Group):
    """A group of commands; for a command of other frameworks, the error says what to write."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return a command, or raise an error that says what to write."""
        name = args[0]
        known = self.list_commands(ctx)
        if name in known or name.startswith("-"):
            return super().resolve_command(ctx, args)
        remedy = _found(_COMMANDS, name)
        if remedy is None:
            remedy = f"write one of {', '.join(known)}"
            try:
                return super().resolve_command(ctx, args)
            except click.UsageError as error:
                raise click.UsageError(f"{error.message} Fix: {remedy}.", ctx) from None
        raise click.UsageError(f"No such command {name!r}. Fix: use {remedy}.", ctx)


class Command(click.Command):
    """A command whose error for an unknown option says what to write instead."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Return the arguments, or raise an error that says what to write."""
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            known = [option for param in self.params for option in _shown(param)]
            remedy = _found(_OPTIONS, error.option_name) or f"the options are {', '.join(known)}"
            raise click.UsageError(f"{error.format_message()} Fix: {remedy}.", ctx) from None


def _shown(param: Any) -> list[str]:
    return [*param.opts, *param.secondary_opts] if isinstance(param, click.Option) else []


def _found(table: dict[str, str], name: str) -> str | None:
    return next((remedy for names, remedy in table.items() if name in names.split()), None)
