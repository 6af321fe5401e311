"""The HTTP edge that all apps share: authentication by key, problem+json errors, cursor pages."""
