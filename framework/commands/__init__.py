"""The commands of `framework`, one file each; a new one joins the list in `cli.py`."""
