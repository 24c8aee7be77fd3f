"""Pure functions on rotations (..., 3, 3), rigid transforms (..., 4, 4) and projections."""
