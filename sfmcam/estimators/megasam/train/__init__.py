"""Training of the learned update operator on rendered clips, whose poses, depth, focal lengths and movers are known."""
