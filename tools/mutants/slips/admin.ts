/** Slips of the admin port, and of what is shown there. */
import type { Slip } from "../plant.ts";

const PORT = ["tests/integration/admin_port_test.ts"];
const GATHER = ["tests/unit/gather_test.ts"];
const SCRAPED = ["tests/e2e/metrics_test.ts"];
const MEASURES = ["tests/unit/measures_test.ts"];
const LEDGER = ["tests/integration/ledger_job_test.ts"];

export const ADMIN_SLIPS: readonly Slip[] = [
  {
    file: "src/admin/handler.ts",
    find: "if (!isOwnHost(host)) {",
    replace: "if (false) {",
    rule: "the admin port answers under names of this machine alone",
    tests: PORT,
  },
  {
    file: "src/admin/admin_port.ts",
    find: "connectionsPerAddressMax: 16,",
    replace: "connectionsPerAddressMax: 32,",
    rule: "one address has half of the admin port's connections",
    tests: PORT,
  },
  {
    file: "src/process/admin.ts",
    find: "if (isGiven) {",
    replace: "if (true) {",
    rule: "a default admin port that is taken is no reason not to start",
    tests: PORT,
  },
  {
    file: "src/admin/gather.ts",
    find: "if (known.last !== undefined && startOf(known.last) !== startOf(now)) this.#retire(known.last);",
    replace: "",
    rule: "what a worker had counted stays in the sum when another takes its place",
    tests: GATHER,
  },
  {
    file: "src/admin/gather.ts",
    find: "parts.push(known.last.filter(isGrowing))",
    replace: "parts.push(known.last)",
    rule: "what a silent worker has now is not in the sum",
    tests: GATHER,
  },
  {
    file: "src/rpc/not_served.ts",
    find: "observer?.unserved?.();",
    replace: "",
    rule: "calls of what is not served are counted",
    tests: SCRAPED,
  },
  {
    file: "src/rpc/seen_call.ts",
    find: "why?.code ?? (error === undefined ? code : Code.Internal);",
    replace: "error === undefined ? why?.code ?? code : Code.Internal;",
    rule: "a call whose caller has gone is no fault of the service",
    tests: SCRAPED,
  },
  {
    file: "src/telemetry/measures.ts",
    find: "value > bounds[i]!) i++;",
    replace: "value >= bounds[i]!) i++;",
    rule: "the end of a bucket belongs to it",
    tests: MEASURES,
  },
  {
    file: "src/store/statements/check_ledger.ts",
    find: "(newest.version, newest.on_hand_after, newest.reserved_after)",
    replace: "(newest.version, newest.on_hand_after, page.reserved)",
    rule: "reserved units are compared with the ledger",
    tests: LEDGER,
  },
];
