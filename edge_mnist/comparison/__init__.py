"""What people would run a network with in place of edge-mnist, to compare with. See `peers`."""
