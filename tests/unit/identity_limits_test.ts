/** What one identity may have, and whose calls go on. */
import { Code, ConnectError, type ContextValues, createContextValues } from "@connectrpc/connect";
import { assert, assertEquals, assertThrows } from "@std/assert";
import type { Identity } from "../../src/auth/identity.ts";
import { ANYONE, type Right, withContained } from "../../src/auth/rights.ts";
import { ErrorInfoSchema, RetryInfoSchema } from "../../src/gen/google/rpc/error_details_pb.ts";
import { InventoryService } from "../../src/gen/inventory/v1/inventory_pb.ts";
import { InvariantError } from "../../src/base/invariant.ts";
import { CallLimits, type CallLimitsParts } from "../../src/limits/call_limits.ts";
import { callerValues } from "../../src/transport/addresses.ts";
import { WatchService } from "../../src/gen/inventory/v1/watch_pb.ts";
import { IdentityLimits } from "../../src/limits/identity_limits.ts";
import type { Admitted, CallHead } from "../../src/rpc/admission.ts";
import { SILENT } from "../support/silent_log.ts";
const OPEN = { callsPerSecondMax: undefined, burstCallsMax: 0, callsMax: 1_000 };
const NONE = { rate: 0, calls: 0, loop_delay: 0, streams: 0, identity_streams: 0 };
const { sell } = InventoryService.method;

const identity = (name: string, right: Right = "seller", kind: Identity["kind"] = "keys"): Identity => ({
  kind,
  name,
  rights: withContained([right]),
  isValid: () => true,
});

/** Limits whose callers are in the values, with what came of each call. */
function limitsOf(parts: Partial<CallLimitsParts>) {
  const callers = new Map<ContextValues, Identity>();
  const limits = new CallLimits({
    inner: undefined,
    identityOf: (values) => callers.get(values),
    rightOf: () => "seller",
    bounds: OPEN,
    streams: { max: 4, addressShare: 0.5, identityMax: 1 },
    loopDelayMsMax: undefined,
    random: () => 0,
    log: SILENT,
    ...parts,
  });
  const headOf = (caller?: Identity): CallHead & { answer: Answer } => {
    const values = createContextValues();
    if (caller !== undefined) callers.set(values, caller);
    const answer = new Answer();
    return { method: sell, path: "", headers: {}, carrier: undefined, answer, values };
  };
  return { limits, headOf };
}

/** An answer that is over when it is said so. */
class Answer {
  readonly #closed: (() => void)[] = [];

  onceClosed(closed: () => void): void {
    this.#closed.push(closed);
  }

  close(): void {
    for (const closed of this.#closed.splice(0)) closed();
  }
}

function reasonOf(error: Admitted): string | undefined {
  if (error === undefined) return undefined;
  assert(error instanceof ConnectError);
  assertEquals([error.code, error.findDetails(RetryInfoSchema).length], [Code.ResourceExhausted, 1]);
  return error.findDetails(ErrorInfoSchema)[0]?.reason;
}

Deno.test("calls under way: so many of one identity, each end frees a place, and others have their own", async () => {
  const { limits, headOf } = limitsOf({ bounds: { ...OPEN, callsMax: 2 } });
  const [a, other] = [identity("a"), identity("a", "seller", "jwt")];
  const begin = async (caller: Identity) => {
    const head = headOf(caller);
    return { head, reason: reasonOf(await limits.admit(head)) };
  };
  const [first, second, third] = [await begin(a), await begin(a), await begin(a)];
  assertEquals([first.reason, second.reason, third.reason], [undefined, undefined, "CALLER_CALLS"]);
  // Of the same name by another kind of proof.
  assertEquals((await begin(other)).reason, undefined);
  // Who was refused had none.
  third.head.answer.close();
  assertEquals((await begin(a)).reason, "CALLER_CALLS");
  first.head.answer.close();
  assertEquals([(await begin(a)).reason, (await begin(a)).reason], [undefined, "CALLER_CALLS"]);
  assertEquals(limits.view, {
    refused: { ...NONE, calls: 3 },
    pressure: 0,
    identities: 2,
    streams: 0,
  });
});

Deno.test("rate: so many in a second, a burst beyond them, then a refusal that says when", async () => {
  const { limits, headOf } = limitsOf({ bounds: { callsPerSecondMax: 3, burstCallsMax: 2, callsMax: 100 } });
  const call = async (name: string) => await limits.admit(headOf(identity(name)));
  const ends: Admitted[] = [];
  for (let i = 0; i < 7; i++) ends.push(await call("a"));
  assertEquals(ends.map(reasonOf), [...Array(5).fill(undefined), "CALLER_RATE", "CALLER_RATE"]);
  const [{ retryDelay } = {}] = ends.at(-1)!.findDetails(RetryInfoSchema);
  const afterMs = Number(retryDelay!.seconds) * 1000 + retryDelay!.nanos / 1e6;
  assert(afterMs > 0 && afterMs <= 1000, `${afterMs}`);
  assertEquals(reasonOf(await call("b")), undefined);
});

Deno.test("without a burst a rate is all there is", async () => {
  const limits = new IdentityLimits({ callsPerSecondMax: 1, burstCallsMax: 0, callsMax: 1 });
  assertEquals([await limits.count("a"), (await limits.count("a"))! > 0], [undefined, true]);
});

Deno.test("no more identities are known than there may be: who has not called for the longest is forgotten", async () => {
  const limits = new IdentityLimits({ callsPerSecondMax: 1, burstCallsMax: 0, callsMax: 1 }, 3);
  for (const name of ["a", "b", "c"]) assertEquals(await limits.count(name), undefined);
  assert(await limits.count("a") !== undefined);
  assertEquals(await limits.count("d"), undefined);
  assertEquals(limits.view.known, 3);
  // "b" was, and is new; "a" was not.
  assertEquals(await limits.count("b"), undefined);
  assert(await limits.count("a") !== undefined);
  for (let i = 0; i < 1_000; i++) await limits.count(`more ${i}`);
  assertEquals(limits.view, { known: 3, active: 0 });
});

Deno.test("an end without a beginning is a fault of ours, and frees no place of later calls", () => {
  const limits = new IdentityLimits({ ...OPEN, callsMax: 2 });
  const end = limits.begin("a")!;
  end();
  assertEquals(limits.view.active, 0);
  assertThrows(end, InvariantError);
  const [later, another] = [limits.begin("a")!, limits.begin("a")!];
  assertThrows(end, InvariantError);
  assertEquals([limits.begin("a"), limits.view.active], [undefined, 1]);
  later();
  another();
  assertEquals(limits.view.active, 0);
});

Deno.test("a late loop sheds calls by chance, operators' last, and nothing that anybody may ask", async () => {
  let chance = 0;
  let right: Right | typeof ANYONE | undefined = "seller";
  const { limits, headOf } = limitsOf({ loopDelayMsMax: 100, random: () => chance, rightOf: () => right });
  const seen = async (caller?: Identity) => reasonOf(await limits.admit(headOf(caller)));
  assertEquals([limits.isOpen, await seen()], [true, undefined]);
  for (let i = 0; i < 4; i++) limits.look(150, 250);
  assertEquals(limits.isOpen, false);
  assertEquals([await seen(), await seen(identity("a")), await seen(identity("a", "operator"))], [
    "OVERLOADED",
    "OVERLOADED",
    undefined,
  ]);
  right = "operator";
  assertEquals([await seen(), await seen(identity("a"))], [undefined, "OVERLOADED"]);
  for (const none of [ANYONE, undefined] as const) {
    right = none;
    assertEquals([await seen(), await seen(identity("a"))], [undefined, undefined]);
  }
  right = "seller";
  chance = 0.99;
  assertEquals(await seen(), undefined);
  assertEquals(limits.view.refused, { ...NONE, loop_delay: 3 });
  for (let i = 0; i < 100; i++) limits.look(0, 100);
  assertEquals(limits.isOpen, true);
});

Deno.test("who may not call is refused for that, and has no place; who has gone meanwhile has none either", async () => {
  const denied = new ConnectError("no", Code.Unauthenticated);
  const latch = Promise.withResolvers<Admitted>();
  const decisions: (Admitted | Promise<Admitted>)[] = [denied, Promise.resolve(denied), latch.promise, undefined];
  const { limits, headOf } = limitsOf({
    inner: { challenge: "Bearer", admit: () => decisions.shift() },
    bounds: { ...OPEN, callsMax: 1 },
  });
  assertEquals([limits.challenge, limits.isOpen], ["Bearer", false]);
  const a = identity("a");
  assertEquals([await limits.admit(headOf(a)), await limits.admit(headOf(a))], [denied, denied]);
  const gone = headOf(a);
  const admitted = limits.admit(gone);
  gone.answer.close();
  latch.resolve(undefined);
  assertEquals([await admitted, limits.view.identities], [undefined, 0]);
  assertEquals([await limits.admit(headOf(a)), limits.view.identities], [undefined, 1]);
});

Deno.test("streams have places of their own: of one identity, of one address and of all; and none among calls", async () => {
  const { watchInv } = WatchService.method;
  const { limits, headOf } = limitsOf({
    bounds: { ...OPEN, callsMax: 1 },
    streams: { max: 4, addressShare: 0.5, identityMax: 1 },
  });
  const watch = async (address: string) => {
    const streaming = { ...headOf(), method: watchInv, values: callerValues(address) };
    return { streaming, reason: reasonOf(await limits.admit(streaming)) };
  };
  const first = await watch("a");
  assertEquals([first.reason, (await watch("a")).reason, (await watch("a")).reason], [undefined, undefined, "STREAMS"]);
  assertEquals([(await watch("b")).reason, (await watch("b")).reason], [undefined, undefined]);
  assertEquals([(await watch("c")).reason, limits.view.streams], ["STREAMS", 4]);
  first.streaming.answer.close();
  assertEquals([(await watch("c")).reason, limits.view.streams], [undefined, 4]);
  assertEquals(limits.view.refused, { ...NONE, streams: 2 });
});

Deno.test("streams of one identity are so many at a time, and leave its places among calls alone", async () => {
  const { limits, headOf } = limitsOf({
    bounds: { ...OPEN, callsMax: 1 },
    streams: { max: 10, addressShare: 1, identityMax: 2 },
  });
  const a = identity("a");
  const watch = async (caller = a) => {
    const head = { ...headOf(caller), method: WatchService.method.watchInv };
    return { head, reason: reasonOf(await limits.admit(head)) };
  };
  const first = await watch();
  assertEquals([first.reason, (await watch()).reason, (await watch()).reason], [
    undefined,
    undefined,
    "CALLER_STREAMS",
  ]);
  assertEquals((await watch(identity("b"))).reason, undefined);
  assertEquals(reasonOf(await limits.admit(headOf(a))), undefined, "a call beside its streams");
  assertEquals(reasonOf(await limits.admit(headOf(a))), "CALLER_CALLS");
  first.head.answer.close();
  assertEquals([(await watch()).reason, (await watch()).reason], [undefined, "CALLER_STREAMS"]);
});
