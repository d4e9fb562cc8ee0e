"""Run the command `framework` as `python -m framework`, where the shell finds no `framework`."""

from framework.cli import main

main()
