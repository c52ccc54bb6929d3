"""Secrets of tenants: kept encrypted (vault.py), named by handles in arguments (handles.py), and struck out of whatever
a worker writes (redaction.py)."""
