"""Which nights of which unit are taken: entries, conflicts, availability."""
