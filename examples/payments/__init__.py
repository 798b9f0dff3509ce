"""A ledger of real payments, kept as events."""
