"""What an annotation means: signatures, fields, limits, and values that fit or do not."""
