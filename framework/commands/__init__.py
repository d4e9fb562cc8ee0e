"""The commands of `framework`: a file each, with what it prints."""
