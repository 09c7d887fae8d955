"""Django signals. All are sent after the commit of what they tell, by ``send_robust``, and at
least once: a receiver that raises, or a crash, makes the sweep send them again. So a receiver
must be safe to call twice.

Every signal for the shop carries the keyword arguments named above it, as committed when it is
sent, and comes about as often as said there; docs/signals.md says how often receivers are called.
"""

from django.dispatch import Signal

# Between our own parts: a verified event was stored and waits to be applied. event: WebhookEvent.
webhook_event_stored = Signal()

# session: exists at the provider and can be paid. Once.
session_created = Signal()
# session: its answer was lost; it is set aside, its truth is looked for. Once.
session_indeterminate = Signal()
# session: soft-deleted, and its money is where it belongs. Once for each resolution.
session_resolved = Signal()
# payment: money is held, or taken, for it. Once.
payment_authorized = Signal()
# payment, capture: money was taken. Once for each capture.
payment_captured = Signal()
# payment, refund: accepted by the provider, or made. Once for each refund; twice if it was pending.
payment_refunded = Signal()
# payment, refund: refused, or failed after it was accepted or made. Once for each failure.
refund_failed = Signal()
# payment: held money was released. Once.
payment_canceled = Signal()
# payment, dispute: the customer's bank asks about money or took it back. Once for each dispute.
dispute_opened = Signal()
# payment, dispute: the bank has decided. Once, and again if it decides otherwise.
dispute_closed = Signal()
# session: declined, refused, or its provider not reached. Each time.
payment_failed = Signal()
# discrepancy: a person must decide. Once while it is open.
discrepancy_opened = Signal()

FOR_THE_SHOP: dict[str, Signal] = {
    "session_created": session_created,
    "session_indeterminate": session_indeterminate,
    "session_resolved": session_resolved,
    "payment_authorized": payment_authorized,
    "payment_captured": payment_captured,
    "payment_refunded": payment_refunded,
    "refund_failed": refund_failed,
    "payment_canceled": payment_canceled,
    "dispute_opened": dispute_opened,
    "dispute_closed": dispute_closed,
    "payment_failed": payment_failed,
    "discrepancy_opened": discrepancy_opened,
}
