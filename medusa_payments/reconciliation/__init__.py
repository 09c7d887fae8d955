"""Which unfinished call, when: find evidence for it, record it, do what the record demands."""
