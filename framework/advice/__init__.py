"""What to write instead: for names, arguments and errors that other frameworks made a habit."""
