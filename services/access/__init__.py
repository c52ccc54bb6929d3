"""Who may call: API keys, each of a tenant."""
