"""Writing to an API without idempotency keys."""
