"""A certificate authority in memory: the one of `make demo`."""

from tools.authority import Authority as Authority
