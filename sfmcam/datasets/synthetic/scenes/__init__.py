"""Stage sets: rooms, streets and landscapes, each built from a seed, and the movers that walk through them."""
