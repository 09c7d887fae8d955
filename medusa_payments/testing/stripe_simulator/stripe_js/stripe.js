// Stripe.js for tests: the few functions a checkout calls, against the simulator this file came from.
(() => {
  "use strict";

  const scriptUrl = document.currentScript
    ? document.currentScript.src
    : Array.from(document.scripts).map((script) => script.src).find((src) => /\/v3\/?(\?|$)/.test(src));
  const origin = new URL(scriptUrl).origin;

  const OUTCOMES = [
    ["pm_card_visa", "4242 4242 4242 4242 - succeeds"],
    ["pm_card_mastercard", "5555 5555 5555 4444 - succeeds"],
    ["pm_card_chargeDeclined", "4000 0000 0000 0002 - declined"],
    ["pm_card_chargeDeclinedInsufficientFunds", "4000 0000 0000 9995 - insufficient funds"],
    ["pm_card_chargeDeclinedExpiredCard", "4000 0000 0000 0069 - expired card"],
    ["pm_card_threeDSecure2Required", "4000 0000 0000 3220 - 3-D Secure"],
    ["pm_simulator_async", "processing - the result comes later"],
  ];
  const PAID = ["succeeded", "requires_capture", "processing"];

  function Stripe(publishableKey, options) {
    if (typeof publishableKey !== "string" || !publishableKey.startsWith("pk_")) {
      throw new Error("Please call Stripe() with your publishable key.");
    }
    const account = options && options.stripeAccount;
    const ask = (method, path, params) => request(publishableKey, account, method, path, params);
    const intents = connectIntents(ask);
    return {
      elements: (settings) => makeElements(settings || {}),
      confirmPayment: (given) => confirmPayment(intents, given),
      confirmSetup: (given) => confirmPayment(intents, given),
      confirmCardPayment: (clientSecret, data, choices) => confirmCard(intents, clientSecret, data, choices),
      confirmCardSetup: (clientSecret, data, choices) => confirmCard(intents, clientSecret, data, choices),
      handleNextAction: ({ clientSecret }) => intents.act(clientSecret, null),
      handleCardAction: (clientSecret) => intents.act(clientSecret, null),
      retrievePaymentIntent: (clientSecret) => intents.retrieve(clientSecret),
      retrieveSetupIntent: (clientSecret) => intents.retrieve(clientSecret),
      registerAppInfo() {},
    };
  }

  // Asking the simulator

  async function request(key, account, method, path, params) {
    const form = new URLSearchParams(params).toString();
    const headers = { Authorization: `Bearer ${key}` };
    if (account) headers["Stripe-Account"] = account;
    if (method === "POST") headers["Content-Type"] = "application/x-www-form-urlencoded";
    const url = method === "GET" ? `${origin}${path}?${form}` : `${origin}${path}`;
    try {
      const response = await fetch(url, { method, headers, body: method === "POST" ? form : undefined });
      const body = await response.json();
      return body.error ? { error: body.error } : { object: body };
    } catch (failure) {
      return { error: { type: "api_connection_error", message: String(failure) } };
    }
  }

  function connectIntents(ask) {
    const urlOf = (clientSecret) => {
      const id = clientSecret.split("_secret_")[0];
      return `/v1/${id.startsWith("seti_") ? "setup_intents" : "payment_intents"}/${id}`;
    };

    async function retrieve(clientSecret) {
      return shaped(await ask("GET", urlOf(clientSecret), { client_secret: clientSecret }));
    }

    async function confirm(clientSecret, params, { element, handleActions }) {
      const asked = { ...params, client_secret: clientSecret };
      const result = shaped(await ask("POST", `${urlOf(clientSecret)}/confirm`, asked));
      const intent = result.paymentIntent || result.setupIntent;
      const mustAct = intent && intent.status === "requires_action" && handleActions !== false;
      return mustAct ? act(clientSecret, element) : result;
    }

    async function act(clientSecret, element) {
      const before = await retrieve(clientSecret);
      const intent = before.paymentIntent || before.setupIntent;
      if (!intent || intent.status !== "requires_action") return before;
      const succeed = await showAuthentication(element);
      await fetch(`${origin}/_simulator/complete_action`, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ intent_id: intent.id, succeed }),
      });
      const after = await retrieve(clientSecret);
      return succeed ? after : failedAction(after);
    }

    return { retrieve, confirm, act };
  }

  function shaped({ object, error }) {
    if (error) return { error };
    return object.object === "setup_intent" ? { setupIntent: object } : { paymentIntent: object };
  }

  function failedAction(result) {
    const intent = result.paymentIntent || result.setupIntent;
    if (!intent) return result;
    const last = intent.last_payment_error || intent.last_setup_error;
    return { error: { ...last, type: "invalid_request_error", [intent.object]: intent } };
  }

  // Confirming

  async function confirmPayment(intents, { elements, clientSecret, confirmParams, redirect }) {
    const secret = clientSecret || (elements && elements.clientSecret);
    const element = elements && elements.chosen();
    const given = confirmParams || {};
    const params = { payment_method: given.payment_method || (element ? element.value() : "pm_card_visa") };
    if (given.return_url) params.return_url = given.return_url;
    const result = await intents.confirm(secret, params, { element });
    const intent = result.paymentIntent || result.setupIntent;
    if (!intent || redirect === "if_required" || !PAID.includes(intent.status)) return result;
    window.location.assign(returnUrl(given.return_url, intent));
    return new Promise(() => {});
  }

  function returnUrl(url, intent) {
    const location = new URL(url, window.location.href);
    location.searchParams.set(intent.object, intent.id);
    location.searchParams.set(`${intent.object}_client_secret`, intent.client_secret);
    location.searchParams.set("redirect_status", "succeeded");
    return location.href;
  }

  function confirmCard(intents, clientSecret, data, choices) {
    const method = data && data.payment_method;
    const element = method && typeof method === "object" ? method.card : null;
    const params = {};
    if (typeof method === "string") params.payment_method = method;
    else if (element) params.payment_method = element.value ? element.value() : "pm_card_visa";
    return intents.confirm(clientSecret, params, { element, ...choices });
  }

  // Drawing

  function makeElements(settings) {
    const created = {};
    return {
      clientSecret: settings.clientSecret,
      create(type) {
        created[type] = makeElement(type);
        return created[type];
      },
      getElement: (type) => created[type] || null,
      chosen: () => Object.values(created)[0] || null,
      submit: async () => ({}),
      fetchUpdates: async () => ({}),
      update() {},
    };
  }

  function makeElement(type) {
    const listeners = {};
    const tell = (name, facts) => (listeners[name] || []).forEach((listener) => listener(facts));
    const facts = () => ({ elementType: type, empty: false, complete: true, value: { type: "card" } });
    const element = {
      container: null,
      value: () => (element.select ? element.select.value : "pm_card_visa"),
      mount(target) {
        element.container = typeof target === "string" ? document.querySelector(target) : target;
        if (!element.container) throw new Error(`Stripe element cannot be mounted: ${target}`);
        element.select = drawForm(element.container, () => tell("change", facts()));
        setTimeout(() => {
          tell("ready", { elementType: type });
          tell("change", facts());
        }, 0);
      },
      unmount() {
        if (element.container) element.container.replaceChildren();
      },
      destroy: () => element.unmount(),
      on(name, listener) {
        (listeners[name] = listeners[name] || []).push(listener);
        return element;
      },
      once: (name, listener) => element.on(name, listener),
      off(name) {
        delete listeners[name];
        return element;
      },
      focus: () => element.select && element.select.focus(),
      blur() {},
      clear() {},
      update() {},
    };
    return element;
  }

  function drawForm(container, onChange) {
    const label = styled("label", "display:block;font:14px sans-serif;color:#333", "Test card (simulator)");
    const select = styled(
      "select",
      "display:block;width:100%;margin-top:6px;padding:10px;border:1px solid #bbb;border-radius:6px;background:#fff",
    );
    for (const [value, text] of OUTCOMES) select.add(new Option(text, value));
    select.name = "stripe-simulator-card";
    select.addEventListener("change", onChange);
    label.append(select);
    container.replaceChildren(label);
    return select;
  }

  function showAuthentication(element) {
    const place = (element && element.container) || document.body;
    const panel = styled(
      "div",
      "margin-top:10px;padding:12px;border:2px solid #635bff;border-radius:6px;background:#f6f5ff;font:14px sans-serif",
      "3-D Secure (simulator): ",
    );
    panel.setAttribute("role", "dialog");
    panel.setAttribute("aria-label", "3-D Secure (simulator)");
    return new Promise((resolve) => {
      for (const [text, succeed] of [["Complete", true], ["Fail", false]]) {
        const button = styled("button", "margin-left:8px;padding:6px 12px", text);
        button.type = "button";
        button.addEventListener("click", () => {
          panel.remove();
          resolve(succeed);
        });
        panel.append(button);
      }
      place.append(panel);
    });
  }

  function styled(tag, css, text) {
    const node = document.createElement(tag);
    node.style.cssText = css;
    if (text) node.append(text);
    return node;
  }

  Stripe.version = 3;
  window.Stripe = Stripe;
})();
