// Every call that Medusa's own SDK makes about payments, of a shop that is told by environment
// variables (see shop.mjs): status, shape and message of success and of failure.

import "./store_checks.mjs";
import "./payment_checks.mjs";
import "./collection_checks.mjs";
import "./admin_checks.mjs";

import { runChecks } from "./checking.mjs";
import { SHOP_URL } from "./shop.mjs";

console.log(`Medusa's SDK asks ${SHOP_URL}`);
process.exit((await runChecks()) ? 1 : 0);
