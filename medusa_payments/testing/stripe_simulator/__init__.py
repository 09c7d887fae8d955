"""A Stripe for tests: the part of its API that we use, over real HTTP, with faults on request.

It knows nothing of Django and nothing of the rest of the package, so that what it says of a payment
is evidence of its own.

Where Stripe's documentation leaves a choice, it shows what a shop must be able to bear:

- Released holds (the rest of a partial capture, a canceled or expired authorization) appear as
  Refunds and in `charge.amount_refunded`; `configure(release_as_refund=False)` hides them. The
  ledger never counts them.
- Canceling a hold tells `charge.refunded` and `payment_intent.canceled`; its expiry tells
  `charge.expired` and `payment_intent.canceled`. A partial capture tells nothing of the release.
- A refund's creation is told by `charge.refunded`, `refund.created`, `refund.updated` and
  `charge.refund.updated`, each later change by the last two.
- A wrong id in the path is 404 and kept under the idempotency key; in a parameter it is 400 and is
  not kept.
"""

from .client import SimulatorClient
from .controls import ControlError, SimulatorControls
from .faults import FaultKind
from .server import StripeSimulator

__all__ = ["ControlError", "FaultKind", "SimulatorClient", "SimulatorControls", "StripeSimulator"]
