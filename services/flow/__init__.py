"""When steps may start: limits of parallelism and rate per key, priority, fair turns between tenants."""
