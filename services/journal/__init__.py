"""The journal: what happened and what is true, in Postgres. One noun, one file: its table and its verbs."""
