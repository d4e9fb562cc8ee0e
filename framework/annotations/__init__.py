"""What an annotation means: types, their limits, and the values that fit them."""
