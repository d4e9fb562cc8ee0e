"""The commands of `framework sessions`, one file each; a new one joins the list in `group.py`."""
