"""A Stripe for tests: the part of its API that we use, over real HTTP, with faults on request.

It knows nothing of Django and nothing of the rest of the package, so that what it says of a payment is
evidence of its own.
"""

from .client import SimulatorClient
from .controls import ControlError, SimulatorControls
from .faults import FaultKind
from .server import StripeSimulator

__all__ = ["ControlError", "FaultKind", "SimulatorClient", "SimulatorControls", "StripeSimulator"]
