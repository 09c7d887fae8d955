// The checkout as any front end does it: two calls to the payments API, then Stripe.js.

const settings = JSON.parse(document.querySelector("#checkout-settings").textContent);
const form = document.querySelector("#checkout");
const button = document.querySelector("#act");
const notice = document.querySelector("#notice");

let payment = null; // { stripe, elements, clientSecret } once the session is there

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  notice.hidden = true;
  button.disabled = true;
  try {
    await (payment ? pay() : start());
  } catch (error) {
    tell(error.message, error.isUncertain);
  }
  button.disabled = false;
});

async function start() {
  const { payment_collection: collection } = await post("/payment-collections", {
    cart_id: settings.cartId,
  });
  // The cart was changed in another tab: the buyer must see what there is to pay.
  if (collection.amount !== settings.amount) return window.location.reload();
  const { payment_collection: started } = await post(
    `/payment-collections/${collection.id}/payment-sessions`,
    { provider_id: settings.providerId },
  );
  const session = started.payment_sessions.find((each) => each.provider_id === settings.providerId);
  return mount(session.data.client_secret);
}

async function post(path, body) {
  const answer = await fetch(settings.paymentsUrl + path, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      "x-publishable-api-key": settings.publishableApiKey,
    },
    body: JSON.stringify(body),
  });
  const told = await answer.json().catch(() => ({}));
  if (answer.ok) return told;
  const error = new Error(told.message || "The shop could not start the payment.");
  // 503: the first try is out of our hands and is undone if it took money; a second one is safe.
  error.isUncertain = answer.status === 503;
  throw error;
}

async function mount(clientSecret) {
  if (!window.Stripe) throw new Error("Stripe could not be loaded. Are you offline?");
  const stripe = window.Stripe(settings.stripePublishableKey);
  const elements = stripe.elements({ clientSecret });
  const element = elements.create("payment");
  const isReady = new Promise((resolve) => element.on("ready", resolve));
  document.querySelector("#payment-element").replaceChildren();
  element.mount("#payment-element");
  await isReady;
  payment = { stripe, elements, clientSecret };
  button.textContent = button.dataset.pay;
}

async function pay() {
  const { stripe, elements, clientSecret } = payment;
  const { error } = await stripe.confirmPayment({
    elements,
    clientSecret,
    confirmParams: { return_url: settings.doneUrl },
  });
  // Without an error the buyer is on the way to the order's page.
  if (!error) return;
  if (await isPaid(stripe, clientSecret)) window.location.assign(settings.doneUrl);
  else throw new Error(error.message || "The payment did not go through. Try another card.");
}

// After a broken connection the payment may have gone through all the same.
async function isPaid(stripe, clientSecret) {
  const { paymentIntent } = await stripe.retrievePaymentIntent(clientSecret);
  const paid = ["succeeded", "requires_capture", "processing"];
  return Boolean(paymentIntent) && paid.includes(paymentIntent.status);
}

function tell(message, isUncertain) {
  notice.textContent = message;
  notice.hidden = false;
  if (!payment) button.textContent = isUncertain ? "Try again" : "Continue to payment";
}

// Only now does a click do what it says.
button.disabled = false;
