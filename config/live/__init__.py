"""The live view on the admin's home: does work flow, for a tenant or for the whole platform."""
