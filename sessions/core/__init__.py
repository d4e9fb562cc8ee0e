"""Make every decision about sessions, with the same code for threads and for event loops."""
