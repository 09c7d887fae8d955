"""The facts."""

from medusa_payments.models.account_holder import AccountHolder, AccountHolderCall
from medusa_payments.models.api_key import ApiKey
from medusa_payments.models.audit_entry import AuditEntry
from medusa_payments.models.automation import AutomationStop, UndoingAllowance
from medusa_payments.models.discrepancy import Discrepancy
from medusa_payments.models.keyed_request import KeyedRequest
from medusa_payments.models.ledger_scan import LedgerFinding, LedgerScan
from medusa_payments.models.movements import Capture, Dispute, Refund, RefundReason
from medusa_payments.models.payment import Payment
from medusa_payments.models.payment_collection import PaymentCollection
from medusa_payments.models.payment_provider import PaymentProvider
from medusa_payments.models.payment_session import PaymentSession
from medusa_payments.models.proposal import Approval, Proposal
from medusa_payments.models.provider_call import ProviderCall
from medusa_payments.models.provider_gate import ProviderGate
from medusa_payments.models.recurring_job import RecurringJob
from medusa_payments.models.webhook_event import WebhookEvent

__all__ = [
    "AccountHolder",
    "AccountHolderCall",
    "ApiKey",
    "Approval",
    "AuditEntry",
    "AutomationStop",
    "Capture",
    "Discrepancy",
    "Dispute",
    "KeyedRequest",
    "LedgerFinding",
    "LedgerScan",
    "Payment",
    "PaymentCollection",
    "PaymentProvider",
    "PaymentSession",
    "Proposal",
    "ProviderCall",
    "ProviderGate",
    "RecurringJob",
    "Refund",
    "RefundReason",
    "UndoingAllowance",
    "WebhookEvent",
]
