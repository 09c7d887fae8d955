// Checks that run one after the other; each tells what it saw, and one that fails stops no other.

import assert from "node:assert/strict";

import { FetchError } from "@medusajs/js-sdk";

const checks = [];

export function check(name, run) {
  checks.push({ name, run });
}

export async function runChecks() {
  let failed = 0;
  for (const { name, run } of checks) {
    try {
      await run();
      console.log(`ok      ${name}`);
    } catch (error) {
      failed += 1;
      console.log(`FAILED  ${name}\n${error.stack}`);
    }
  }
  console.log(`${checks.length - failed} of ${checks.length} checks passed`);
  return failed;
}

/** The record has these keys and no other. */
export function hasKeys(record, names) {
  assert.deepEqual(Object.keys(record).sort(), names.trim().split(/\s+/).sort());
}

/** The call throws the SDK's error, with this status and this message. */
export async function fails(call, status, message) {
  await assert.rejects(call, (error) => {
    assert.ok(error instanceof FetchError, `not a FetchError: ${error.stack}`);
    assert.equal(error.status, status, error.message);
    if (message instanceof RegExp) assert.match(error.message, message);
    else assert.equal(error.message, message);
    return true;
  });
}

/** Which requests a call made: method and path of each. */
export async function requestsOf(call) {
  const made = [];
  const original = globalThis.fetch;
  globalThis.fetch = (url, init) => {
    made.push(`${init?.method ?? "GET"} ${new URL(url).pathname}`);
    return original(url, init);
  };
  try {
    return { result: await call(), made };
  } finally {
    globalThis.fetch = original;
  }
}
