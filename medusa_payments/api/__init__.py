"""The HTTP API: views parse, call an operation, and show the result."""
