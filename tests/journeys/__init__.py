"""Whole stories of DOMAIN: from the request over a socket to its effects in the database."""
