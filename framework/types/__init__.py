"""What an annotation means: signatures, fields and limits, and which values fit the type."""
