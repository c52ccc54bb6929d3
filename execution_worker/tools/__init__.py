"""The built-in tools, one a file; every module-level Tool here is one that a plan step can call."""
