"""Outside systems: endpoints that receive our events, the exchanges with them, one connector per kind."""
