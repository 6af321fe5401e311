"""One file per kind of outside system: how a request to it is written, or one of it is understood."""
