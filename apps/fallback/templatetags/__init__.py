"""Template tags of the fallback queue."""
