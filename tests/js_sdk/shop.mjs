// The shop of the checks: clients of its server and of a buyer's page, and a buyer who pays.

import Medusa from "@medusajs/js-sdk";

export const { SHOP_URL, STRIPE_URL } = process.env;
const { PUBLISHABLE_KEY, ADMIN_API_KEY } = process.env;

export const STRIPE = "pp_stripe_stripe";
export const SYSTEM = "pp_system_default";

export function client(config) {
  return new Medusa({ baseUrl: `${SHOP_URL}/api`, ...config });
}

export const store = client({ publishableKey: PUBLISHABLE_KEY });
export const admin = client({ apiKey: ADMIN_API_KEY });

/** Pays as Stripe's form does: with the secret that the session gave to the page. */
export async function pay(session, method = "pm_card_visa") {
  const { id, client_secret } = session.data;
  const answer = await fetch(`${STRIPE_URL}/v1/payment_intents/${id}/confirm`, {
    method: "POST",
    headers: { authorization: "Bearer pk_test_of_the_page" },
    body: new URLSearchParams({ client_secret, payment_method: method }),
  });
  const intent = await answer.json();
  if (!answer.ok) throw new Error(JSON.stringify(intent));
  return intent;
}

export async function newCollection(order = "order_1", amount = 100.5) {
  const body = { order_id: order, amount, currency_code: "eur" };
  const { payment_collection } = await admin.admin.paymentCollection.create(body);
  return payment_collection;
}

/** A payment that holds the money. */
export async function authorizedPayment(order) {
  const { id } = await newCollection(order);
  const data = { confirm: true, off_session: true, payment_method: "pm_card_visa" };
  const { payment_collection } = await admin.admin.paymentCollection.createPaymentSession(id, {
    provider_id: STRIPE,
    data,
  });
  return payment_collection.payments[0];
}

export async function capturedPayment(order) {
  const { id } = await authorizedPayment(order);
  const { payment } = await admin.admin.payment.capture(id);
  return payment;
}
