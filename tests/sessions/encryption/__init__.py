"""Sessions whose values no store can read."""
