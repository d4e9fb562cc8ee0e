"""Where records live: the contract in `base`, one store a file."""
