"""A small shop that shows medusa_payments at work. The environment sets everything about it."""
