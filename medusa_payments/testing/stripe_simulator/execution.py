"""One API request from its key to its answer. Nothing awaits, so nothing is left half done."""

import traceback
from dataclasses import dataclass, field

from .accepted import ACCEPTED
from .errors import ApiError, JsonObject, authentication_error, invalid_parameter, server_error
from .expansion import check_expansions, rendered
from .idempotency import Answer
from .request_log import LoggedRequest
from .routes import Operation
from .world import Call, World

_PUBLIC_NAMES = (
    "id object amount amount_details automatic_payment_methods canceled_at "
    "cancellation_reason capture_method client_secret confirmation_method created currency "
    "description last_payment_error last_setup_error livemode next_action payment_method "
    "payment_method_types processing receipt_email setup_future_usage shipping status usage"
)
_PUBLIC_FIELDS = frozenset(_PUBLIC_NAMES.split())


@dataclass
class Reply:
    status: int
    body: JsonObject
    headers: dict[str, str] = field(default_factory=dict)


class Execution:
    def __init__(
        self,
        world: World,
        call: Call,
        operation: Operation,
        entry: LoggedRequest,
        api_key: str | None,
    ) -> None:
        self._world = world
        self._call = call
        self._operation = operation
        self._entry = entry
        self._api_key = api_key
        self._fingerprint = {
            "method": operation.method,
            "path": entry["path"],
            "params": call.params.values,
        }
        self._key = call.idempotency_key if operation.method == "POST" else None

    @property
    def key_is_known(self) -> bool:
        return (
            self._key is not None
            and self._world.keys.find(self._call.account, self._key) is not None
        )

    def run(self) -> Reply:
        """Refuse, replay or execute."""
        try:
            replayed = self._admit()
        except ApiError as error:
            return Reply(error.status, error.body)
        return replayed or self.execute()

    def reserve(self) -> bool:
        """Take the key without executing yet; false where there is nothing to execute."""
        try:
            return self._admit() is None
        except ApiError:
            return False

    def execute(self) -> Reply:
        """Execute what has been admitted, and keep the answer under the key."""
        self._entry["executed"] = True
        try:
            answer = self._answer()
        except ApiError as error:
            if not error.is_stored:
                return self._not_executed(error)
            answer = Answer(error.status, error.body)
        self._keep(answer)
        return Reply(answer.status, answer.body)

    def abandon(self) -> None:
        """Give back a key that was reserved: the simulator stops before executing."""
        if self._key is not None:
            self._world.keys.release(self._call.account, self._key)

    def fail(self, *, after_executing: bool) -> Reply:
        """Answer 500 and keep it under the key, having executed or not."""
        if not self.reserve():
            return self.run()
        if after_executing:
            self.execute()
        error = server_error()
        self._keep(Answer(error.status, error.body))
        return Reply(error.status, error.body)

    def _admit(self) -> Reply | None:
        self._check_key()
        if self._key is None:
            return None
        entry = self._world.keys.replay(self._call.account, self._key, self._fingerprint)
        if entry is None or entry.answer is None:
            request_id = self._call.request_id or ""
            self._world.keys.begin(
                self._call.account, self._key, self._fingerprint, request_id=request_id
            )
            return None
        self._entry["replayed"] = True
        headers = {"Idempotent-Replayed": "true", "Original-Request": entry.request_id}
        return Reply(entry.answer.status, entry.answer.body, headers)

    def _check_key(self) -> None:
        key = self._api_key
        if not key:
            raise authentication_error(
                "You did not provide an API key. You need to provide your API key in the "
                "Authorization header, using Bearer auth (e.g. 'Authorization: Bearer "
                "YOUR_SECRET_KEY')."
            )
        if key in self._world.options.refused_keys or not key.startswith(("sk_", "rk_", "pk_")):
            raise authentication_error(f"Invalid API Key provided: {key[:7]}***")
        if key.startswith("pk_"):
            self._check_client_secret()

    def _check_client_secret(self) -> None:
        given = self._call.params.text("client_secret")
        if not self._operation.is_public or given is None:
            raise authentication_error(
                "This API call cannot be made with a publishable API key. Please use a secret "
                "API key.",
                code="secret_key_required",
            )
        record = self._world.store.find(self._call.path["id"])
        if record is not None and record.data.get("client_secret") != given:
            message = "The client_secret provided does not match the client_secret of this object."
            raise invalid_parameter(message, param="client_secret")

    def _answer(self) -> Answer:
        call, operation = self._call, self._operation
        call.params.accept_only(ACCEPTED[operation.name])
        check_expansions(operation.name, call.params)
        try:
            body = rendered(self._world, call.params, operation.handler(self._world, call))
        except ApiError:
            raise
        except Exception as defect:
            traceback.print_exc()
            error = server_error()
            error.error["message"] = f"The simulator has a defect: {defect!r}"
            raise error from defect
        if call.is_publishable:
            body = {name: value for name, value in body.items() if name in _PUBLIC_FIELDS}
        return Answer(200, body)

    def _not_executed(self, error: ApiError) -> Reply:
        self._entry["executed"] = False
        self.abandon()
        return Reply(error.status, error.body)

    def _keep(self, answer: Answer) -> None:
        if self._key is not None:
            self._world.keys.keep(self._call.account, self._key, answer)
