// What a buyer's page asks.

import assert from "node:assert/strict";

import { check, fails, hasKeys, requestsOf } from "./checking.mjs";
import { PAGE, SESSION, STORE_COLLECTION } from "./shapes.mjs";
import { STRIPE, SYSTEM, client, newCollection, pay, store } from "./shop.mjs";

const { CART, DEAR_CART } = process.env;
const MISSING_KEY = "Publishable API key required in the request header: x-publishable-api-key.";

check("store.payment.listPaymentProviders", async () => {
  const answer = await store.store.payment.listPaymentProviders({ region_id: "reg_1" });

  hasKeys(answer, `payment_providers ${PAGE}`);
  assert.deepEqual(answer.payment_providers, [
    { id: STRIPE, is_enabled: true },
    { id: SYSTEM, is_enabled: true },
  ]);
  assert.deepEqual([answer.count, answer.offset, answer.limit], [2, 0, 20]);
});

check("store.payment.listPaymentProviders fails", async () => {
  const { payment } = store.store;
  await fails(
    payment.listPaymentProviders({}),
    400,
    "Invalid request: Field 'region_id' is required",
  );
  await fails(
    payment.listPaymentProviders({ region_id: "" }),
    400,
    "You must provide the region_id to list payment providers",
  );
  await fails(client({}).store.payment.listPaymentProviders({ region_id: "r" }), 400, MISSING_KEY);
  await fails(
    client({ publishableKey: "pk_wrong" }).store.payment.listPaymentProviders({ region_id: "r" }),
    400,
    "A valid publishable key is required to proceed with the request",
  );
});

check("client.fetch leaves a header out whose value is null", async () => {
  const init = { query: { region_id: "r" }, headers: { "x-publishable-api-key": null } };
  await fails(store.client.fetch("/store/payment-providers", init), 400, MISSING_KEY);
});

check("store.payment.initiatePaymentSession of a cart makes two requests", async () => {
  const { result, made } = await requestsOf(() =>
    store.store.payment.initiatePaymentSession({ id: CART }, { provider_id: STRIPE }),
  );

  const { payment_collection: collection } = result;
  hasKeys(result, "payment_collection");
  hasKeys(collection, STORE_COLLECTION);
  assert.equal(collection.amount, 100.5);
  assert.equal(collection.currency_code, "eur");
  assert.equal(collection.payment_sessions.length, 1);
  hasKeys(collection.payment_sessions[0], SESSION);
  assert.equal(collection.payment_sessions[0].status, "pending");
  assert.match(collection.payment_sessions[0].data.client_secret, /^pi_.*_secret_/);
  assert.deepEqual(made, [
    "POST /api/store/payment-collections",
    `POST /api/store/payment-collections/${collection.id}/payment-sessions`,
  ]);
});

check("store.payment.initiatePaymentSession of a collection makes one request", async () => {
  const payment_collection = await newCollection();

  const { result, made } = await requestsOf(() =>
    store.store.payment.initiatePaymentSession(
      { id: "cart_of_the_page", payment_collection },
      { provider_id: SYSTEM, data: { note: "x" } },
      { fields: "id,*payment_sessions" },
    ),
  );

  hasKeys(result.payment_collection, "id payment_sessions");
  assert.deepEqual(result.payment_collection.payment_sessions[0].data, { note: "x" });
  assert.deepEqual(made, [
    `POST /api/store/payment-collections/${payment_collection.id}/payment-sessions`,
  ]);
});

check("store.payment.initiatePaymentSession fails", async () => {
  const { payment } = store.store;
  const start = (cart, body) => payment.initiatePaymentSession(cart, body);
  await fails(start({ id: "cart_x" }, { provider_id: STRIPE }), 404, "Cart id not found: cart_x");
  await fails(start({ id: CART }, { provider_id: "pp_none" }), 400, /pp_none/);
  await fails(start({ id: CART }, {}), 400, "Invalid request: Field 'provider_id' is required");
  await fails(
    start({ id: CART }, { provider_id: STRIPE, context: {} }),
    400,
    "Invalid request: Unrecognized fields: 'context'",
  );
  await fails(start({ id: CART }, { provider_id: STRIPE, data: { confirm: true } }), 400, /confirm/);
  await fails(
    start({ payment_collection: { id: "pay_col_x" } }, { provider_id: STRIPE }),
    404,
    "PaymentCollection id not found: pay_col_x",
  );
});

check("a buyer's page is told how its session stands", async () => {
  const cart = { id: DEAR_CART };
  const body = { provider_id: STRIPE };
  const started = await store.store.payment.initiatePaymentSession(cart, body);
  const [session] = started.payment_collection.payment_sessions;
  const path = `/store/payment-sessions/${session.id}/status`;

  const before = await store.client.fetch(path);
  assert.equal((await pay(session)).status, "requires_capture");
  let after = await store.client.fetch(path);
  for (let tries = 0; after.payment_session.action !== "none" && tries < 100; tries += 1) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    after = await store.client.fetch(path);
  }

  hasKeys(before.payment_session, "id status is_final action message retry_after");
  assert.equal(before.payment_session.action, "continue");
  assert.deepEqual([after.payment_session.action, after.payment_session.is_final], ["none", true]);
  await fails(
    store.store.payment.initiatePaymentSession(cart, body),
    400,
    "The payment collection is already covered by a payment.",
  );
});
