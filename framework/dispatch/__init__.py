"""One request, from start to end: the steps of each handler, in order."""
