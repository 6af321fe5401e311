"""One file per kind of outside system: how a request to it is written and its answer is read."""
