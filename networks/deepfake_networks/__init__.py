"""The network, the stacking, the evidence map and the bundle on disk."""
