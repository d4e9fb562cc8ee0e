"""The commands of `framework sessions`: each command is one file, and `group.py` lists them."""
