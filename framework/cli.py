"""The command `framework` and the list of its commands; each command is a file in `commands/`."""

import sys
from pathlib import Path

import click

from framework.commands.check import check
from framework.commands.explain import explain
from framework.commands.new import new
from framework.commands.other_names import Commands
from framework.commands.routes import routes
from framework.commands.run import run
from framework.commands.secret import secret
from framework.commands.sessions.group import sessions
from framework.commands.shell import shell


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="satsuma", prog_name="framework")
def main() -> None:
    """Run and inspect an application.

    A command takes the application as module:name. Without this argument, the command takes the
    application that pyproject.toml names under [tool.framework], as in `app = "shop.app:app"`,
    or else the `app` of app.py.
    """
    # Python puts the folder of the script on the path, but not the folder of the user.
    sys.path.insert(0, str(Path.cwd()))


for command in (check, explain, new, routes, run, secret, sessions, shell):
    main.add_command(command)

if __name__ == "__main__":
    main()
