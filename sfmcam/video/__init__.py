"""From a file to Frames: decoding, sampling, shots."""
