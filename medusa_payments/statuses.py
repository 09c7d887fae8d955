"""The words for states. Values that Medusa has too are Medusa's own (CONTRACT section 5)."""

from django.db.models import TextChoices


class CollectionStatus(TextChoices):
    NOT_PAID = "not_paid"
    AWAITING = "awaiting"
    AUTHORIZED = "authorized"
    PARTIALLY_AUTHORIZED = "partially_authorized"
    CANCELED = "canceled"
    FAILED = "failed"
    PARTIALLY_CAPTURED = "partially_captured"
    COMPLETED = "completed"


class SessionStatus(TextChoices):
    AUTHORIZED = "authorized"
    CAPTURED = "captured"
    PENDING = "pending"
    REQUIRES_MORE = "requires_more"
    ERROR = "error"
    CANCELED = "canceled"
    PENDING_AUTHORIZATION = "pending_authorization"


class DeletedReason(TextChoices):
    REPLACED = "replaced"  # the buyer started again
    DELETED = "deleted"  # the shop deleted it, or its collection
    INDETERMINATE = "indeterminate"  # set aside: the answer to its initiate was lost


class Resolution(TextChoices):
    """What became of the money of a soft-deleted session."""

    NOT_CREATED = "not_created"  # the provider has nothing; provisional, later proof still acts
    CLOSED = "closed"  # nothing was taken, and nothing can be any more
    REFUNDED = "refunded"  # what was taken is back with the customer
    ADOPTED = "adopted"  # kept, because its collection was still unpaid
    WRITTEN_OFF = "written_off"  # a named person decided


class MovementStatus(TextChoices):
    """State of a capture or a refund."""

    REQUESTED = "requested"  # committed here, not answered yet
    PENDING = "pending"  # accepted by the provider, result later
    SUCCEEDED = "succeeded"  # the money moved
    FAILED = "failed"  # it did not, and the provider said so
    INDETERMINATE = "indeterminate"  # asked, answer unknown; it counts as moved until known


class DisputeStatus(TextChoices):
    INQUIRY = "inquiry"  # the bank asks; nothing was withdrawn, and all can be refunded
    OPEN = "open"
    WON = "won"
    LOST = "lost"


class ProviderState(TextChoices):
    """Where the provider's object stands, in the order in which evidence may move it."""

    UNKNOWN = ""  # nothing was ever seen of it
    PAYABLE = "payable"  # the buyer can still pay it
    ACTION_REQUIRED = "action_required"  # payable, after the buyer has done something
    PROCESSING = "processing"  # neither payable nor paid yet
    HELD = "held"  # money is reserved for us
    CAPTURED = "captured"  # money was taken, nothing is held any more
    CANCELED = "canceled"  # closed without taking money


class CallKind(TextChoices):
    INITIATE = "initiate"
    UPDATE = "update"  # of what an unpaid payment asks for
    CAPTURE = "capture"
    REFUND = "refund"
    CANCEL = "cancel"


class AccountHolderCallKind(TextChoices):
    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    SAVE_PAYMENT_METHOD = "save_payment_method"
    DELETE_PAYMENT_METHOD = "delete_payment_method"


class AccountHolderState(TextChoices):
    REQUESTED = "requested"  # committed here; whether the provider knows it is not known yet
    ACTIVE = "active"
    FAILED = "failed"  # the provider keeps no such holder
    DELETING = "deleting"  # hidden here; the provider is asked to forget it until it has
    DELETED = "deleted"  # the provider has forgotten it


class CallState(TextChoices):
    OPEN = "open"  # committed; asked or about to be; no answer recorded yet
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    INDETERMINATE = "indeterminate"


class Evidence(TextChoices):
    """What an outcome rests on. A final status is never stored without it."""

    NONE = ""
    RESPONSE = "response"
    WEBHOOK = "webhook"
    LOOKUP = "lookup"
    OPERATOR = "operator"


class EventState(TextChoices):
    RECEIVED = "received"  # stored, not applied yet
    APPLIED = "applied"
    PARKED = "parked"  # cannot be applied yet; the sweep tries again
    QUARANTINED = "quarantined"  # names nothing of ours; shown, never acted upon


class Door(TextChoices):
    """Through which door an act or a piece of evidence came in."""

    PYTHON = "python"
    STORE_API = "store_api"
    ADMIN_API = "admin_api"
    ADMIN = "admin"
    COMMAND = "command"
    WEBHOOK = "webhook"
    SWEEP = "sweep"


class DiscrepancyKind(TextChoices):
    GHOST = "ghost"  # the provider holds an object with our marker that we have no record of
    MISSING = "missing"  # we have a record whose object the provider does not have
    AMOUNT = "amount"
    CURRENCY = "currency"
    STATUS = "status"
    DUPLICATE = "duplicate"
    DISPUTE = "dispute"
    UNDO_BLOCKED = "undo_blocked"  # money under a soft-deleted session could not be given back
    UNRESOLVED = "unresolved"  # the schedule ended without an answer


class DiscrepancyState(TextChoices):
    OPEN = "open"
    CLOSED = "closed"


class LedgerKind(TextChoices):
    """What a provider's ledger lists."""

    PAYMENT = "payment"
    CHARGE = "charge"  # one try at taking a payment's money
    REFUND = "refund"


class LedgerClass(TextChoices):
    """How an object of the provider's ledger, or a record of ours, stands to the other side."""

    MATCHED = "matched"
    GHOST = "ghost"  # it carries our marker, and there is no record of it here
    MISSING = "missing"  # recorded here, and the provider does not have it
    AMOUNT = "amount"
    CURRENCY = "currency"
    STATUS = "status"
    DUPLICATE = "duplicate"  # a second object of one session, or a second refund of one record
    FOREIGN = "foreign"  # no marker of ours: another system's
    NOT_COMPARABLE = "not_comparable"  # too young, or reconciliation is still at work on it


class LedgerScanState(TextChoices):
    RUNNING = "running"  # also of one that was killed: it can be continued
    FINISHED = "finished"
    ABANDONED = "abandoned"  # begun anew by another


class Severity(TextChoices):
    """How soon a person should look at a discrepancy."""

    INFO = "info"  # recorded as it is; somebody should know
    WARNING = "warning"  # the two sides disagree
    CRITICAL = "critical"  # money may be lost, or taken without a record


class PolicyMode(TextChoices):
    """What reconciliation may do by itself about money that nobody asked for."""

    OBSERVE = "observe"  # nothing: it is shown, and looked at again
    PROPOSE = "propose"  # nothing until a person has approved
    ACT = "act"


class ProposalKind(TextChoices):
    CANCEL = "cancel"  # undo: release what is held, close what can still be paid
    REFUND = "refund"  # undo: give back what was taken
    VERDICT = "verdict"  # say that a call of unknown outcome happened, or did not


class ProposalState(TextChoices):
    OPEN = "open"
    APPROVED = "approved"  # by enough people; about to be carried out
    REJECTED = "rejected"
    DONE = "done"  # carried out, or no longer needed


class Verdict(TextChoices):
    HAPPENED = "happened"
    NOT_HAPPENED = "not_happened"


class ApiKeyType(TextChoices):
    PUBLISHABLE = "publishable"  # in the shop's pages, for everybody to see
    SECRET = "secret"  # on the shop's server  # noqa: S105


class WebhookAction(TextChoices):
    """What a webhook says about a payment (Medusa's PaymentActions)."""

    AUTHORIZED = "authorized"
    CAPTURED = "captured"
    FAILED = "failed"
    PENDING = "pending"
    REQUIRES_MORE = "requires_more"
    CANCELED = "canceled"
    NOT_SUPPORTED = "not_supported"
    PENDING_AUTHORIZATION = "pending_authorization"


UNRESOLVED_MOVEMENTS = (MovementStatus.REQUESTED, MovementStatus.INDETERMINATE)
UNRESOLVED_CALLS = (CallState.OPEN, CallState.INDETERMINATE)
OPEN_PROVIDER_STATES = (
    ProviderState.PAYABLE,
    ProviderState.ACTION_REQUIRED,
    ProviderState.PROCESSING,
)
