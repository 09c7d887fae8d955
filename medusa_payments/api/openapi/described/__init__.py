"""What is said of each route; a route that is not here fails the generation of the document."""

from __future__ import annotations

from typing import Any

from medusa_payments.api.openapi.described.access import ACCESS
from medusa_payments.api.openapi.described.collections import COLLECTIONS
from medusa_payments.api.openapi.described.monitoring import MONITORING
from medusa_payments.api.openapi.described.payments import PAYMENTS
from medusa_payments.api.openapi.described.records import RECORDS
from medusa_payments.api.openapi.description import Description

_DESCRIBED = COLLECTIONS | PAYMENTS | RECORDS | ACCESS | MONITORING


def description_of(view: type[Any], method: str) -> Description:
    return _DESCRIBED[view][method.lower()]
