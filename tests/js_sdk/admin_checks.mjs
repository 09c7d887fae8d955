// admin.refundReason, admin.order, auth, and client.fetch for what Medusa has not.

import assert from "node:assert/strict";

import { check, fails, hasKeys, requestsOf } from "./checking.mjs";
import { PAGE, REASON } from "./shapes.mjs";
import { admin, authorizedPayment, capturedPayment, client } from "./shop.mjs";

const { PENDING_SESSION, PENDING_ORDER, STAFF_EMAIL, STAFF_PASSWORD } = process.env;

check("admin.refundReason.create, retrieve, update, list and delete", async () => {
  const { refundReason } = admin.admin;
  const body = { label: "Broken on the way", code: "broken" };

  const { refund_reason: made } = await refundReason.create(body);
  const { refund_reason: read } = await refundReason.retrieve(made.id);
  const { refund_reason: changed } = await refundReason.update(made.id, { description: "Glass" });
  const listed = await refundReason.list({ q: "ON THE WAY" });
  const deleted = await refundReason.delete(made.id);
  const again = await refundReason.delete(made.id);

  hasKeys(made, REASON);
  assert.deepEqual(read, made);
  assert.deepEqual([changed.label, changed.description], [body.label, "Glass"]);
  hasKeys(listed, `refund_reasons ${PAGE}`);
  assert.deepEqual(listed.refund_reasons, [changed]);
  assert.equal(listed.limit, 15);
  assert.deepEqual(deleted, { id: made.id, object: "refund_reason", deleted: true });
  assert.deepEqual(again, deleted);
});

check("admin.refundReason.list begins with Medusa's three", async () => {
  const { refund_reasons } = await admin.admin.refundReason.list({ order: "id", limit: 3 });

  assert.deepEqual(
    refund_reasons.map((each) => each.code).sort(),
    ["customer_care_adjustment", "pricing_error", "shipping_issue"],
  );
});

check("admin.refundReason fails", async () => {
  const { refundReason } = admin.admin;
  const missing = 'RefundReason with id "refr_x" not found';
  await fails(refundReason.retrieve("refr_x"), 404, missing);
  await fails(refundReason.update("refr_x", { label: "a" }), 404, missing);
  await fails(
    refundReason.create({ label: "a" }),
    400,
    "Invalid request: Field 'code' is required",
  );
  await fails(
    refundReason.create({ label: "a", code: "b", metadata: {} }),
    400,
    "Invalid request: Unrecognized fields: 'metadata'",
  );
  await fails(refundReason.list({ offset: -1 }), 400, /offset/);
});

check("admin.order.authorizePaymentSession", async () => {
  const { order } = admin.admin;

  const answer = await order.authorizePaymentSession(PENDING_ORDER, PENDING_SESSION);

  assert.deepEqual(answer, { order: { id: PENDING_ORDER }, is_authorized: true });
  await fails(
    order.authorizePaymentSession(PENDING_ORDER, PENDING_SESSION),
    400,
    `Payment session ${PENDING_SESSION} is not in pending_authorization status`,
  );
  await fails(order.authorizePaymentSession("order_x", PENDING_SESSION), 404, /was not found/);
});

check("client.fetch of what Medusa has not", async () => {
  const { id, payment_session_id } = await authorizedPayment();

  const sessions = await admin.client.fetch("/admin/payment-sessions", {
    query: { id: payment_session_id, with_deleted: true },
  });
  const canceled = await admin.client.fetch(`/admin/payments/${id}/cancel`, {
    method: "POST",
    query: { fields: "+canceled_at" },
    headers: { "idempotency-key": `cancel ${id}` },
  });

  assert.deepEqual(sessions.payment_sessions.map((each) => each.id), [payment_session_id]);
  assert.ok(canceled.payment.canceled_at);
  await fails(admin.client.fetch("/admin/nothing"), 404, /nothing/);
  await fails(admin.client.fetch(`/admin/payments/${id}`, { method: "PUT" }), 404, /PUT/);
});

const STAFF = { email: STAFF_EMAIL, password: STAFF_PASSWORD };

check("auth.login gives a token that opens the admin", async () => {
  const staff = client({
    apiKey: "sk_wrong",
    auth: { type: "jwt", jwtTokenStorageMethod: "memory" },
  });
  await fails(staff.admin.payment.list(), 401, "Unauthorized");

  const token = await staff.auth.login("user", "emailpass", STAFF);

  assert.match(token, /^[\w-]+\.[\w-]+\.[\w-]+$/);
  hasKeys(await staff.admin.payment.list(), `payments ${PAGE}`); // the token goes before the key
  const wrong = { ...STAFF, password: "wrong" };
  await fails(staff.auth.login("user", "emailpass", wrong), 401, "Invalid email or password");
  await fails(
    staff.auth.login("user", "emailpass", { email: STAFF_EMAIL }),
    400,
    "Invalid request: Field 'password' is required",
  );
});

check("auth.login with a session, and logout", async () => {
  const staff = client({ auth: { type: "session" } });

  const { result, made } = await requestsOf(() => staff.auth.login("user", "emailpass", STAFF));
  await staff.auth.logout();

  assert.match(result, /\./);
  assert.deepEqual(made, ["POST /api/auth/user/emailpass", "POST /api/auth/session"]);
});

check("a secret key is no bearer token", async () => {
  const headers = { authorization: "Bearer sk_something" };
  await fails(client({}).admin.payment.list({}, headers), 401, /basic authentication/);
});

check("an Idempotency-Key names one act", async () => {
  const { id } = await capturedPayment();
  const headers = { "idempotency-key": `refund ${id}` };
  const refund = (amount) => admin.admin.payment.refund(id, { amount }, {}, headers);

  const first = await refund(1.5);
  const again = await refund(1.5);

  assert.deepEqual(again, first);
  assert.equal(again.payment.refunds.length, 1);
  await fails(refund(2), 409, /Idempotency-Key/);
});
