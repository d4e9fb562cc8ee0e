"""How sessions work: every decision about them, written once, for threads and for event loops."""
