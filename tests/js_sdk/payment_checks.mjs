// admin.payment

import assert from "node:assert/strict";

import { check, fails, hasKeys } from "./checking.mjs";
import { PAGE, PAYMENT } from "./shapes.mjs";
import { STRIPE, SYSTEM, admin, authorizedPayment, capturedPayment, client } from "./shop.mjs";

check("admin.payment.list and its query", async () => {
  const [first, second] = [await authorizedPayment(), await authorizedPayment()];

  const page = await admin.admin.payment.list({ limit: 1, offset: 1, order: "-created_at" });
  const two = await admin.admin.payment.list({ id: [first.id, second.id] });
  const or = await admin.admin.payment.list({ $or: [{ id: first.id }, { id: "pay_x" }] });
  const since = new Date(Date.now() - 3600000);
  const times = await admin.admin.payment.list({ created_at: { $gte: since }, id: second.id });
  const none = await admin.admin.payment.list({ created_at: { $lt: since }, id: second.id });
  const fields = await admin.admin.payment.list({ id: first.id, fields: "+provider_id,-refunds" });
  const dotted = await admin.admin.payment.list({ id: first.id, fields: "*payment_session" });

  hasKeys(page, `payments ${PAGE}`);
  assert.deepEqual(page.payments.map((each) => each.id), [first.id]);
  assert.deepEqual([page.offset, page.limit, page.count > 1], [1, 1, true]);
  hasKeys(page.payments[0], PAYMENT);
  assert.deepEqual(two.payments.map((each) => each.id), [first.id, second.id]);
  assert.deepEqual(or.payments.map((each) => each.id), [first.id]);
  assert.deepEqual([times.count, none.count], [1, 0]);
  assert.equal(fields.payments[0].provider_id, STRIPE);
  assert.ok(!("refunds" in fields.payments[0]));
  assert.equal(dotted.payments[0].payment_session.status, "authorized");
});

check("admin.payment.list fails", async () => {
  await fails(
    admin.admin.payment.list({ foo: 1 }),
    400,
    "Invalid request: Unrecognized fields: 'foo'",
  );
  await fails(
    admin.admin.payment.list({ limit: "abc" }),
    400,
    "Invalid request: Expected type: 'number' for field 'limit', got: 'abc'",
  );
  await fails(client({}).admin.payment.list(), 401, "Unauthorized");
  await fails(client({ apiKey: "sk_wrong" }).admin.payment.list(), 401, "Unauthorized");
});

check("admin.payment.retrieve", async () => {
  const { id } = await authorizedPayment();

  const answer = await admin.admin.payment.retrieve(id, { fields: "+data,*captures" });

  hasKeys(answer, "payment");
  hasKeys(answer.payment, `${PAYMENT} data`);
  assert.ok(!("client_secret" in answer.payment.data) || /redacted/.test(answer.payment.data.client_secret));
  await fails(
    admin.admin.payment.retrieve("pay_x"),
    404,
    "Payment with id: pay_x was not found",
  );
});

check("admin.payment.listPaymentProviders", async () => {
  const answer = await admin.admin.payment.listPaymentProviders({ id: [SYSTEM] });

  hasKeys(answer, `payment_providers ${PAGE}`);
  assert.deepEqual(answer.payment_providers, [{ id: SYSTEM, is_enabled: true }]);
  await fails(
    admin.admin.payment.listPaymentProviders({ is_enabled: "maybe" }),
    400,
    "Invalid request: Expected type: 'boolean' for field 'is_enabled', got: 'maybe'",
  );
});

check("admin.payment.capture without a body takes all, and again does nothing", async () => {
  const { id } = await authorizedPayment();

  const { payment } = await admin.admin.payment.capture(id);
  const again = await admin.admin.payment.capture(id);

  hasKeys(payment, PAYMENT);
  assert.deepEqual(payment.captures.map((each) => Object.keys(each)), [["id", "amount"]]);
  assert.equal(payment.captures[0].amount, 100.5);
  assert.ok(payment.captured_at);
  assert.deepEqual(again.payment, payment);
});

check("admin.payment.capture of a part, and its failures", async () => {
  const { id } = await authorizedPayment();
  const capture = (amount) => admin.admin.payment.capture(id, { amount });

  await fails(
    capture(100.51),
    400,
    "You cannot capture more than the authorized amount substracted by what is already captured.",
  );
  await fails(
    capture("5"),
    400,
    "Invalid request: Expected type: 'number' for field 'amount', got: '5'",
  );
  await fails(
    capture(0),
    400,
    "Invalid request: Value for field 'amount' too small, expected at least: '0'",
  );
  const { payment } = await capture(40.2);
  assert.equal(payment.captures[0].amount, 40.2);
  assert.equal(payment.captured_at, null);
  await fails(
    admin.admin.payment.capture("pay_x"),
    404,
    "Payment with id: pay_x was not found",
  );
});

check("admin.payment.refund, with a reason and a note", async () => {
  const { id } = await capturedPayment();
  const { refund_reason } = await admin.admin.refundReason.create({ label: "Late", code: "late" });
  const body = { amount: 20.5, refund_reason_id: refund_reason.id, note: "sorry" };

  const { payment } = await admin.admin.payment.refund(id, body);

  hasKeys(payment, PAYMENT);
  const [refund] = payment.refunds;
  hasKeys(refund, "id amount note payment_id refund_reason_id refund_reason");
  assert.equal(refund.amount, 20.5);
  assert.deepEqual(refund.refund_reason, { id: refund_reason.id, label: "Late", code: "late" });
});

check("admin.payment.refund fails", async () => {
  const { id } = await capturedPayment();
  const refund = (body, payment = id) => admin.admin.payment.refund(payment, body);

  await fails(
    refund({ amount: 100.51 }),
    400,
    "You are not allowed to refund more than the captured amount",
  );
  await fails(
    refund({}, (await authorizedPayment()).id),
    400,
    "You cannot refund more than what is captured on the payment.",
  );
  await fails(refund({ note: null }), 400, /^Invalid request: Expected type: 'string'/);
  await fails(refund({}, "pay_x"), 404, "Payment id not found: pay_x");
  await fails(refund({ refund_reason_id: "x" }), 404, "RefundReason id not found: x");
});
