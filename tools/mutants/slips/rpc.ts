/** Slips on the wire. */
import type { Slip } from "../plant.ts";

const ERRORS = { file: "src/services/refusals.ts", tests: ["tests/unit/errors_test.ts"] };

export const RPC_SLIPS: readonly Slip[] = [
  {
    file: "src/services/inventory/methods.ts",
    find: "    bytesMax: requestBytesMax,\n    parts,",
    replace: "    bytesMax: 64 * requestBytesMax,\n    parts,",
    rule: "a message, compressed or not, is read up to the limit and no further",
    tests: ["tests/unit/service_modules_test.ts", "tests/attacks/messages_test.ts"],
  },
  {
    ...ERRORS,
    find: `busy: [Code.Aborted, "GOODS_BUSY"],`,
    replace: `busy: [Code.Unavailable, "GOODS_BUSY"],`,
    rule: "each failure has its code",
  },
  {
    ...ERRORS,
    find: "if (named.length + 1 + `${key}`.length > GOODS_BYTES_MAX) break;\n",
    replace: "",
    rule: "the goods that an error names are bounded, and the others counted",
  },
  {
    ...ERRORS,
    find: "[info(reason, ids), retryInfo()]",
    replace: "[info(reason, {}), retryInfo()]",
    rule: "an error names the id to retry under",
  },
  {
    file: "src/services/validation.ts",
    find: "if (line.num > INT32_MAX) {",
    replace: "if (line.num > INT32_MAX + 1) {",
    rule: "lines of one goods add up to an int32 at most",
    tests: ["tests/unit/requests_test.ts"],
  },
  {
    file: "src/services/validation.ts",
    find: "if (lines.length > max) {",
    replace: "if (lines.length > max + 1) {",
    rule: "an order has so many lines and no more",
    tests: ["tests/unit/requests_test.ts"],
  },
  {
    file: "src/rpc/interceptors.ts",
    find: "!exempt.has(request.service.typeName)) throw drainingError();",
    replace: "exempt.size === 0) throw drainingError();",
    rule: "a service that drains takes no new calls",
    tests: ["tests/unit/interceptors_test.ts"],
  },
  {
    file: "src/services/inventory/batch.ts",
    find: "ended[at] = linesIn(budget, answer(asked,",
    replace: "ended[i] = linesIn(budget, answer(asked,",
    rule: "verdicts stand in the sequence of their parts",
    tests: ["tests/e2e/batch_test.ts"],
  },
  {
    file: "src/services/inventory/verdict_budget.ts",
    find: "return bytes - VERDICT_BYTES_MAX <= Math.max(this.#bytesLeft, 0);",
    replace: "return bytes <= Math.max(this.#bytesLeft, 0);",
    rule: "every verdict has a budget of its own",
    tests: ["tests/unit/verdict_budget_test.ts"],
  },
  {
    file: "src/transport/token_bucket.ts",
    find: "Math.min(this.size, this.#tokens +",
    replace: "Math.min(2 * this.size, this.#tokens +",
    rule: "a bucket never has more than its size",
    tests: ["tests/unit/addresses_test.ts"],
  },
  {
    file: "src/transport/admission.ts",
    find: "if (requests < limits.requestsPerAddressMax &&",
    replace: "if (requests <= limits.requestsPerAddressMax &&",
    rule: "one address has so many requests in progress and no more",
    tests: ["tests/integration/listener_limits_test.ts", "tests/unit/addresses_test.ts"],
  },
  {
    file: "src/transport/cors/handler.ts",
    find: 'host.endsWith(".localhost")',
    replace: 'host.endsWith("localhost")',
    rule: "a name that only ends like this machine's is not its own",
    tests: ["tests/unit/cors_test.ts"],
  },
  {
    file: "src/transport/cors/handler.ts",
    find: "rules.leftToProxy ? !isSame :",
    replace: "rules.leftToProxy ? true :",
    rule: "a page that passes a proxy by, under a name that is not ours, is refused",
    tests: ["tests/unit/cors_test.ts"],
  },
  {
    file: "src/transport/admission.ts",
    find: "limits.requestsPerAddressMax + more",
    replace: "limits.requestsPerAddressMax + 2 * more",
    rule: "probes beyond the limit of requests are bounded",
    tests: ["tests/integration/health_paths_test.ts"],
  },
  {
    file: "src/rpc/universal/web_text.ts",
    find: "this.#padding > 0)",
    replace: "this.#padding > 1)",
    rule: "behind padding a group of base64 has nothing but padding",
    tests: ["tests/unit/base64_test.ts"],
  },
];
