"""A corpus of requests that somebody may read in two ways, and the judge of what became of them."""
