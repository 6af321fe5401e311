"""Who we work for: tenants, their hosts and API keys, and the one place that enters a tenant."""
