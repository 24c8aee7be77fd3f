"""Running many clips: the store, the workers."""
