"""How dates are written: the same everywhere, and as the API writes them."""
