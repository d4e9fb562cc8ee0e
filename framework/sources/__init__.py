"""Where the arguments of a handler come from: a file for each kind of source."""
