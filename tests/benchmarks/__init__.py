"""Measured against the peers an operator knows, as ratios in one run: `make bench`,
or `make bench TESTS="upload small"` for some."""
