import { parseTimeout as parseConnect } from "@connectrpc/connect/protocol-connect";
import { parseTimeout as parseGrpc } from "@connectrpc/connect/protocol-grpc";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import type { ConnectError } from "@connectrpc/connect";
import { CallTime, cutTimeouts, grpcTimeout, SharedLimit, timeoutMs } from "../../src/rpc/deadline.ts";

const UNITS_MS = { H: 3_600_000, M: 60_000, S: 1_000, m: 1, u: 1e-3, n: 1e-6 } as const;
const units = fc.constantFrom(...Object.keys(UNITS_MS) as (keyof typeof UNITS_MS)[]);
/** As many digits as a deadline of each protocol may have. */
const grpcNumbers = fc.integer({ min: 0, max: 99_999_999 });
const connectNumbers = fc.integer({ min: 0, max: 9_999_999_999 });
const limits = fc.integer({ min: 1, max: 2 ** 31 - 1 });

Deno.test("a deadline beyond the limit is cut to it, a shorter one stays", () => {
  fc.assert(fc.property(grpcNumbers, units, connectNumbers, limits, (number, unit, connectMs, msMax) => {
    const header = new Headers({ "grpc-timeout": `${number}${unit}`, "connect-timeout-ms": `${connectMs}` });
    cutTimeouts(header, msMax);
    const grpcMs = number * UNITS_MS[unit];
    const { timeoutMs: cut, error } = parseGrpc(header.get("grpc-timeout"), msMax);
    assertEquals(error, undefined);
    if (grpcMs <= msMax) assertEquals(header.get("grpc-timeout"), `${number}${unit}`);
    // In whole seconds from 99,999,999 ms on: eight digits are all that there are.
    else assert(cut! <= msMax && cut! > (msMax > 99_999_999 ? msMax - 1_000 : msMax - 1), `${cut} for ${msMax}`);
    assertEquals(parseConnect(header.get("connect-timeout-ms"), Infinity).timeoutMs, Math.min(connectMs, msMax));
  }));
});

Deno.test("the limit itself, as cut, is refused by nobody who allows that limit, and is no longer than a timer takes", () => {
  fc.assert(fc.property(fc.oneof(limits, fc.constant(undefined)), (msMax) => {
    const header = new Headers({ "grpc-timeout": "99999999H", "connect-timeout-ms": "9999999999" });
    cutTimeouts(header, msMax);
    for (
      const { timeoutMs: ms, error } of [
        parseGrpc(header.get("grpc-timeout"), msMax ?? Infinity),
        parseConnect(header.get("connect-timeout-ms"), msMax ?? Infinity),
      ]
    ) {
      assertEquals(error, undefined, JSON.stringify([...header]));
      assert(ms! <= 2 ** 31 - 1, `${ms} ms is more than a timer takes`);
    }
  }));
});

Deno.test("what is no deadline is left to be refused", () => {
  for (const bad of ["", "abc", "-1S", "1", "1x", "999999999H", "1.5S", " 1S 2S"]) {
    const header = new Headers({ "grpc-timeout": bad, "connect-timeout-ms": bad });
    const before = [...header];
    cutTimeouts(header, 1_000);
    assertEquals([...header], before);
    assertEquals(timeoutMs(new Headers({ "grpc-timeout": bad, "content-type": "application/grpc" })), undefined);
  }
});

Deno.test("a time as grpc-timeout has it is the same time, to the digits that there are", () => {
  fc.assert(fc.property(fc.double({ min: -10, max: 2 ** 31, noNaN: true }), (ms) => {
    const { timeoutMs: read, error } = parseGrpc(grpcTimeout(ms), Infinity);
    assertEquals(error, undefined);
    const awayMs = read! - Math.max(0, ms);
    if (ms <= 99_999_999) assert(awayMs >= -1e-6 && awayMs < (ms <= 99_999 ? 1e-3 : 1) + 1e-6, `${ms} became ${read}`);
    else assert(awayMs > -1_000 && awayMs <= 0, `${ms} became ${read}`);
  }));
});

Deno.test("the deadline of a call is that of its protocol", () => {
  for (
    const [type, expected] of [
      ["application/grpc", 2_000],
      ["Application/gRPC-web+proto", 2_000],
      ["application/json", 7],
      ["application/connect+proto", 7],
      ["", 7],
    ] as const
  ) {
    const header = { "grpc-timeout": "2S", "connect-timeout-ms": "7", "content-type": type };
    assertEquals(timeoutMs(new Headers(header)), expected);
  }
});

/** Of the time of one call: who is called, and with which words. */
function watched(timeoutMs: number | undefined) {
  const { promise, resolve } = Promise.withResolvers<string>();
  const time = new CallTime(timeoutMs, () => resolve("late"));
  const answer = (limitMs: number | undefined) =>
    time.answer(
      (reason: ConnectError) => resolve(reason.rawMessage),
      limitMs === undefined ? undefined : new SharedLimit(limitMs),
    );
  return { time, answer, called: promise };
}

Deno.test("a deadline that passes before the message is complete is late, after that it ends the call, whatever the limit", async () => {
  assertEquals(await watched(1).called, "late");
  for (const limitMs of [undefined, 60_000]) {
    for (const timeoutMs of [0, 1]) {
      const { answer, called } = watched(timeoutMs);
      answer(limitMs);
      assertEquals(await called, "the operation timed out", `${timeoutMs} ms`);
    }
  }
});

Deno.test("a deadline of nothing is never late: it is said once the message is complete", async () => {
  const { answer, called } = watched(0);
  await watched(1).called;
  answer(undefined);
  assertEquals(await called, "the operation timed out");
});

Deno.test("without a deadline the server's limit ends the call, and begins when the message is complete", async () => {
  const { time, answer, called } = watched(undefined);
  assertEquals(time.remainingMs, undefined);
  answer(1);
  assertEquals(await called, "the server's limit of 1 ms passed");
});

Deno.test("whose time is stopped is called no more", async () => {
  for (const limitMs of [undefined, 1]) {
    const { time, answer, called } = watched(limitMs === undefined ? 1 : undefined);
    if (limitMs !== undefined) answer(limitMs);
    time.stop();
    await watched(5).called;
    assertEquals(await Promise.race([called, Promise.resolve("nobody")]), "nobody");
  }
});

Deno.test("of calls with one limit each comes to it in its own time, and who is done comes to none", async () => {
  const limit = new SharedLimit(5);
  const passed: { readonly call: number; readonly afterMs: number }[] = [];
  const over = Promise.withResolvers<void>();
  const calls = [0, 1, 2, 3].map((call) => ({ call }));
  const begin = (call: { readonly call: number }) => {
    const begunAt = performance.now();
    return limit.begin(() => {
      passed.push({ ...call, afterMs: performance.now() - begunAt });
      if (call.call === 3) over.resolve();
    });
  };
  const [first] = calls.slice(0, 2).map(begin);
  limit.done(first!);
  await new Promise((resolve) => setTimeout(resolve, 2));
  const [third] = calls.slice(2).map(begin);
  limit.done(third!);
  await over.promise;
  assertEquals(passed.map(({ call }) => call), [1, 3]);
  assert(passed.every(({ afterMs }) => afterMs >= 5), JSON.stringify(passed));
  // With nobody left it has no timer, and begins again.
  const again = begin(calls[3]!);
  limit.done(again);
  limit.done(again);
});
