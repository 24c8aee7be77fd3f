"""Procedural textures: noise, materials, painted objects and cut-outs. Everything is made from a seed; there are no image files."""
