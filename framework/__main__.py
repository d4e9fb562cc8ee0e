"""`python -m framework`: the command `framework`, also where its script is not on the path."""

from framework.cli import main

main()
