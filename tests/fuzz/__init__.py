"""schemathesis against the running gateway: settings in schemathesis.toml, both runs in running.py."""
