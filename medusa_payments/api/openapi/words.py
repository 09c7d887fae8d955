"""What is said of the API as a whole."""

DESCRIPTION = """\
Payments for Django that never lose track of money when a provider's answer is lost, over the HTTP
API of Medusa's payment module.

- Amounts are JSON numbers in major units: `100.5` euros.
- Bodies and queries are strict: what is not described here is refused with 400.
- Lists take filters: `status=authorized`, `id[0]=a&id[1]=b`, `created_at[$gte]=2026-01-01`, and
  what OpenAPI cannot express as a parameter: `$and` and `$or`, lists of filters, as in
  `$or[0][status]=authorized&$or[1][amount][$gt]=100`.
- A POST with an `Idempotency-Key` is run once. The same key and request get the same answer.
- 202 means: asked, and not known yet. 503 says whether the same request may be sent again.
- An unknown path and a method that is not described here are answered with 404, as JSON.
"""

TAGS = [
    {"name": "store", "description": "For the shop's pages, with a publishable key."},
    {
        "name": "admin",
        "description": "For the shop's server, with a secret key, and for its staff.",
    },
    {"name": "auth", "description": "How a member of the staff logs in."},
    {"name": "hooks", "description": "Where payment providers post their events."},
    {"name": "health", "description": "How payments stand, for monitoring."},
    {"name": "document", "description": "This document."},
]
