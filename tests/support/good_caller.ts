/**
 * Somebody who only wants to be served, beside whoever attacks: InvDetail of goods 1 every 20 ms over one HTTP/2
 * connection, Health.Check four times a second on new HTTP/1.1 connections. It runs in a thread of its own.
 */
import { callerSetup } from "./caller_setup.ts";

/** What came of one kind of calls. */
export interface CallTimes {
  /** Ascending, failed calls included. */
  readonly ms: readonly number[];
  /** What went wrong, one for each failed call. */
  readonly failures: readonly string[];
}

/** What came of all of them. */
export interface GoodCalls {
  readonly detail: CallTimes;
  readonly health: CallTimes;
}

/** A good caller at work. */
export interface GoodCaller {
  /** Waits for the answers in progress, and reports. Call it once. */
  stop(): Promise<GoodCalls>;
}

/** Starts to call, and resolves with the first answers. Goods 1 must have stock. */
export async function startGoodCaller(url: string): Promise<GoodCaller> {
  const worker = new Worker(new URL("./good_caller_worker.ts", import.meta.url), { type: "module" });
  const next = () =>
    new Promise<unknown>((resolve, reject) => {
      worker.onmessage = ({ data }) => resolve(data);
      worker.onerror = (event) => reject(new Error(event.message));
    });
  const ready = next();
  const { headers, ca } = callerSetup();
  worker.postMessage({ url, headers, ca });
  await ready;
  return {
    async stop() {
      const report = next();
      worker.postMessage("stop");
      const calls = await report as GoodCalls;
      worker.terminate();
      return calls;
    },
  };
}

/** In one line: `InvDetail 120 calls, 0 failed, p50 3 ms, max 41 ms; Health ...`. */
export function describeCalls({ detail, health }: GoodCalls): string {
  return `InvDetail ${describe(detail)}; Health ${describe(health)}`;
}

function describe({ ms, failures }: CallTimes): string {
  const p50 = ms[Math.floor(ms.length / 2)] ?? 0;
  const max = ms.at(-1) ?? 0;
  return `${ms.length} calls, ${failures.length} failed, p50 ${p50.toFixed(1)} ms, max ${max.toFixed(0)} ms`;
}
