"""Django signals. All are sent after the commit of what they tell, by ``send_robust``, and at
least once: a receiver that raises, or a crash, makes the sweep send them again. So a receiver
must be safe to call twice.

Every signal for the shop carries the keyword arguments named beside it; rows are as committed.
"""

from django.dispatch import Signal

# Between our own parts: a verified event was stored and waits to be applied. event: WebhookEvent.
webhook_event_stored = Signal()

session_created = Signal()  # session
session_indeterminate = Signal()  # session: set aside, its truth is being looked for
session_resolved = Signal()  # session: soft-deleted, and its money is now where it belongs
payment_authorized = Signal()  # payment: money is held (or taken) for it
payment_captured = Signal()  # payment, capture
payment_refunded = Signal()  # payment, refund
payment_canceled = Signal()  # payment
payment_failed = Signal()  # session: declined or refused
discrepancy_opened = Signal()  # discrepancy

FOR_THE_SHOP: dict[str, Signal] = {
    "session_created": session_created,
    "session_indeterminate": session_indeterminate,
    "session_resolved": session_resolved,
    "payment_authorized": payment_authorized,
    "payment_captured": payment_captured,
    "payment_refunded": payment_refunded,
    "payment_canceled": payment_canceled,
    "payment_failed": payment_failed,
    "discrepancy_opened": discrepancy_opened,
}
