"""How the token travels: the contract in `base`, one transport a file."""
