"""Run the command `framework` as `python -m framework`, if the shell does not find `framework`."""

from framework.cli import main

main()
