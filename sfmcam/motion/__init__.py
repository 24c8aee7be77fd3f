"""From a camera path to primitives: measurement, scores, words."""
