// admin.paymentCollection

import assert from "node:assert/strict";

import { check, fails, hasKeys } from "./checking.mjs";
import { COLLECTION, SESSION } from "./shapes.mjs";
import { STRIPE, SYSTEM, admin, authorizedPayment, newCollection } from "./shop.mjs";

check("admin.paymentCollection.create", async () => {
  const body = { order_id: "order_1", amount: 10.1, currency_code: "eur" };

  const answer = await admin.admin.paymentCollection.create(body);

  hasKeys(answer, "payment_collection");
  hasKeys(answer.payment_collection, COLLECTION);
  assert.equal(answer.payment_collection.amount, 10.1);
  assert.equal(answer.payment_collection.status, "not_paid");
  assert.equal(answer.payment_collection.authorized_amount, null);
  await fails(
    admin.admin.paymentCollection.create({ order_id: "order_1" }),
    400,
    "Invalid request: Field 'amount' is required",
  );
  await fails(
    admin.admin.paymentCollection.create({ ...body, amount: -1 }),
    400,
    /^Invalid request: Value for field 'amount' too small/,
  );
});

check("admin.paymentCollection.delete", async () => {
  const { id } = await newCollection();

  const answer = await admin.admin.paymentCollection.delete(id);

  assert.deepEqual(answer, { id, object: "payment-collection", deleted: true });
  await fails(
    admin.admin.paymentCollection.delete(id),
    404,
    `PaymentCollection id not found: ${id}`,
  );
  const { payment_collection_id } = await authorizedPayment();
  await fails(
    admin.admin.paymentCollection.delete(payment_collection_id),
    400,
    "Can only delete payment collections where status is not_paid",
  );
});

check("admin.paymentCollection.markAsPaid", async () => {
  const { id } = await newCollection("order_7");
  const mark = (collection = id) =>
    admin.admin.paymentCollection.markAsPaid(collection, { order_id: "order_7" });

  const { payment_collection: paid } = await mark();

  hasKeys(paid, COLLECTION);
  assert.deepEqual([paid.status, paid.captured_amount], ["completed", 100.5]);
  assert.equal(paid.payment_sessions[0].provider_id, SYSTEM);
  await fails(mark(), 400, "Can only mark 'not_paid' payment collection as paid");
  await fails(mark("pay_col_x"), 404, "PaymentCollection id not found: pay_col_x");
  await fails(
    admin.admin.paymentCollection.markAsPaid(id, {}),
    400,
    "Invalid request: Field 'order_id' is required",
  );
});

check("admin.paymentCollection.createPaymentSession", async () => {
  const { id } = await newCollection();
  const create = (body, collection = id) =>
    admin.admin.paymentCollection.createPaymentSession(collection, body);

  const { payment_collection } = await create({ provider_id: STRIPE });

  hasKeys(payment_collection, COLLECTION);
  hasKeys(payment_collection.payment_sessions[0], SESSION);
  const declined = { confirm: true, off_session: true, payment_method: "pm_card_chargeDeclined" };
  await fails(create({ provider_id: STRIPE, data: declined }), 422, /declined/);
  await fails(create({ provider_id: STRIPE, data: 5 }), 400, /Expected type: 'record'/);
  await fails(create({ provider_id: STRIPE }, "pay_col_x"), 404, /pay_col_x/);
});
