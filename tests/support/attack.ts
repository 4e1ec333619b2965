/**
 * An attack on the real program, as a process of its own, with a good caller beside it: who must not notice much of it,
 * and what the process may cost while it lasts.
 */
import { assertEquals, assertLess } from "@std/assert";
import { addTestKey } from "./api_keys.ts";
import { callJson } from "./clients/json_fetch.ts";
import { ownerOf } from "./database.ts";
import { describeCalls, startGoodCaller } from "./good_caller.ts";
import type { Right } from "../../src/auth/rights.ts";
import { type Fields, setCallerSetup } from "./caller_setup.ts";
import { processorsOf, processSize, stretchOf } from "./process_size.ts";
import { type ServerOptions, serverTest, type Step, type TestServer } from "./server.ts";
import { WITH_TLS } from "./tls_server.ts";
import { eventually } from "./eventually.ts";

/**
 * Longest answer to the good caller, in ms, where the server has a processor whenever it is ready: generous, as two
 * cores are shared with the attacker. What it waits for one beside other work is the machine's, and lengthens this by
 * as much as it lengthened all that the server did meanwhile, up to {@link STRETCH_MAX}.
 */
const GOOD_CALL_MS_MAX = 1_000;
const STRETCH_MAX = 8;
/**
 * Most resident memory of the server from its start on, in MiB, with garbage that it has room for: a quarter is left of
 * what a container of it may have (deploy/kubernetes/base/server.yaml). Measured: up to 586.
 */
const RESIDENT_MIB_MAX = 768;

/** Calls at a time that reach every worker, as each comes by a connection that any of them takes. */
const ASKED_A_WORKER = 10;

/** What may be otherwise in one attack. */
export interface AttackOptions extends ServerOptions {
  /** Instead of {@link GOOD_CALL_MS_MAX}. */
  readonly goodCallMsMax?: number;
  /** Instead of that, where the server speaks TLS. */
  readonly securedMsMax?: number;
  /** Instead of {@link RESIDENT_MIB_MAX}. */
  readonly residentMiBMax?: number;
  /** The server asks for keys, and the good caller has one. So it is in all attacks where {@link SWITCH} is set. */
  readonly keyed?: boolean;
  /** It speaks TLS, too. */
  readonly secured?: boolean;
  /** The right of the attacker's own key; "none": it has no key. By default it may do everything. */
  readonly attacker?: Right | "none";
}

/** An environment variable: `keys` runs every attack with keys, `tls` over TLS, too. */
const SWITCH = "ATTACKS_WITH";

/** What somebody does to the server. */
export type Attack = (server: TestServer) => Promise<void>;

/**
 * A test with a server of its own: `attack` runs beside the good caller, of whose calls none may fail and none be slow;
 * the server must stay small, be the same process, and take an order afterwards. The figures are printed.
 */
export function attackTest(name: string, options: AttackOptions, attack: Attack): void {
  testOfAttacks(name, options, (server, limits) => beside(server, name, attack, limits));
}

/** One server that is attacked in these manners, one after the other, each as in {@link attackTest}. */
export function attackTests(name: string, options: AttackOptions, attacks: Readonly<Record<string, Attack>>): void {
  testOfAttacks(name, options, async (server, limits, step) => {
    for (const [what, attack] of Object.entries(attacks)) {
      await step(what, () => beside(server, what, attack, limits));
    }
  });
}

/** What may be noticed of an attack. */
interface Limits {
  readonly goodCallMsMax: number;
  readonly residentMiBMax: number;
}

function testOfAttacks(
  name: string,
  options: AttackOptions,
  run: (server: TestServer, limits: Limits, step: Step) => Promise<void>,
): void {
  const { residentMiBMax = RESIDENT_MIB_MAX } = options;
  const asked = Deno.env.get(SWITCH);
  const { secured = asked === "tls", attacker = "operator" } = options;
  const { keyed = secured || asked === "keys" } = options;
  const { goodCallMsMax = secured ? options.securedMsMax ?? GOOD_CALL_MS_MAX : GOOD_CALL_MS_MAX } = options;
  const tls = secured ? WITH_TLS : {};
  const env = { ...tls.env, ...(keyed ? { AUTH: "keys" } : {}), ...options.env };
  serverTest(name, { ...tls, ...options, env }, async (server, step) => {
    using _setup = await callAs(server, { keyed, ca: tls.ca, attacker });
    // Each process looks at its nodes by itself, and a probe may reach any of them.
    const ready = () => server.output.stderr.split('"Redis quorum","msg":"ready"').length - 1;
    await eventually(() => ready() >= (options.workers ?? 1), "all are ready");
    const stocked = async () =>
      "answer" in await callJson(server.url, "SetInv", JSON.stringify({ goodsId: 1, num: 1_000_000_000 }));
    // A worker may have read the keys a moment before there was this one, and a call reaches any of them.
    await eventually(async () => {
      const asked = await Promise.all(Array.from({ length: ASKED_A_WORKER * (options.workers ?? 1) }, stocked));
      return asked.every((isSo) => isSo);
    }, "goods 1 is stocked, whoever is asked");
    await run(server, { goodCallMsMax, residentMiBMax }, step);
  });
}

/** Attacks beside the good caller; see {@link attackTest}. */
async function beside(server: TestServer, what: string, attack: Attack, limits: Limits): Promise<void> {
  const [before, processorsBefore] = [await processSize(server.pid), await processorsOf(server.pid)];
  const goodCaller = await startGoodCaller(server.url);
  let failure: unknown;
  await attack(server).catch((error) => failure = error);
  const calls = await goodCaller.stop();
  const after = await processSize(server.pid);
  const stretch = Math.min(stretchOf(processorsBefore, await processorsOf(server.pid)), STRETCH_MAX);
  const memory = `${before.residentMiB.toFixed(0)} MiB before, ${after.peakMiB.toFixed(0)} MiB at most so far`;
  console.log(`    ${what}: ${describeCalls(calls)}; resident ${memory}; stretched by ${stretch.toFixed(2)}`);
  if (failure !== undefined) throw failure;
  assertEquals([...calls.detail.failures, ...calls.health.failures], []);
  assertLess(calls.detail.ms.at(-1)!, limits.goodCallMsMax * stretch);
  assertLess(calls.health.ms.at(-1)!, limits.goodCallMsMax * stretch);
  assertLess(after.peakMiB, limits.residentMiBMax);
  const sold = await callJson(server.url, "Sell", JSON.stringify({ goodsInfo: [{ goodsId: 1, num: 1 }] }));
  assertEquals("answer" in sold, true, JSON.stringify(sold));
}

/** Has the callers of the test trust the server, and bring keys that it knows, from now on. */
async function callAs(
  { url, databaseOwnerUrl }: TestServer,
  { keyed, ca, attacker }: Readonly<{ keyed: boolean; ca: string | undefined; attacker: Right | "none" }>,
): Promise<Disposable> {
  if (!keyed) return { [Symbol.dispose]: setCallerSetup({ ca }) };
  await using owner = ownerOf(databaseOwnerUrl);
  let attackerHeaders: Fields = {};
  if (attacker !== "none") {
    ({ headers: attackerHeaders } = await addTestKey(owner.sql, { name: "attacker", rights: [attacker] }));
  }
  // The later one: as soon as it is known the other is.
  const { headers } = await addTestKey(owner.sql, { name: "attacked", rights: ["operator"] });
  const forget = setCallerSetup({ headers, attackerHeaders, ca });
  await eventually(async () => {
    const result = await callJson(url, "InvDetail", JSON.stringify({ goodsId: 1 }));
    return !("code" in result) || result.code !== "UNAUTHENTICATED";
  }, "the key is known");
  return { [Symbol.dispose]: forget };
}
