"""epr beside its peers: the same work, the same duties, one core."""
