"""A finished run of `sfmcam bench` as a page that opens from disk: what it holds, and how it is written."""
