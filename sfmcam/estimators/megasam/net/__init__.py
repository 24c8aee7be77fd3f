"""The network of MegaSaM (which is DROID-SLAM's with a motion head), its checkpoints, and the operator that the tracker asks."""
