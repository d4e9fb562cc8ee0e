"""The commands of `framework`: each command is one file, and `cli.py` lists them."""
