"""What the app does, one verb per function: prepare, ask, look up, record, undo, audit."""
