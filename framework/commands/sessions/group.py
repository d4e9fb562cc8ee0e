"""`framework sessions`: the list of its commands, and the summary if no command is named."""

from difflib import get_close_matches

import click

from framework.commands.other_names import Commands
from framework.commands.sessions.copying import copy
from framework.commands.sessions.end import end
from framework.commands.sessions.listing import list_sessions
from framework.commands.sessions.migrate import migrate
from framework.commands.sessions.purge import purge
from framework.commands.sessions.show import show
from framework.commands.sessions.summary import summary
from sessions.errors import SessionError

_SUMMARY = "summary"


class SessionCommands(Commands):
    """Show the summary if no command is named, and report store errors without a traceback."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the arguments; the first of them may be an application, not a command."""
        first = args[0] if args else None
        is_help = first in ctx.help_option_names
        if not is_help and (first is None or not self._resembles_command(first, ctx)):
            args = [_SUMMARY, *args]
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> object:
        """Run the command; end with exit status 1 if the store does not answer."""
        try:
            return super().invoke(ctx)
        except SessionError as error:
            raise click.ClickException(str(error)) from error

    def _resembles_command(self, word: str, ctx: click.Context) -> bool:
        return bool(get_close_matches(word, self.list_commands(ctx), 1, 0.75))


@click.group(cls=SessionCommands, name="sessions")
def sessions() -> None:
    """Count, list, end and copy the sessions of an application.

    Without a command, `framework sessions` shows the summary. To name a session, write its handle,
    or at least the first 8 characters of the handle.
    """


for command in (copy, end, list_sessions, migrate, purge, show, summary):
    sessions.add_command(command)
