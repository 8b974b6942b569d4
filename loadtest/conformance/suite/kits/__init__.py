"""One module a kit: `version()`, none when it is not installed, and `run(score)`."""
