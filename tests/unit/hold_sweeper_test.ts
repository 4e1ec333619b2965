/** The sweeper of expired holds over a list of orders, without a database: where it goes on, and how it waits. */
import { assert, assertEquals } from "@std/assert";
import type { TimeKey } from "../../src/inventory/hold_lists.ts";
import type { Verdict } from "../../src/inventory/model.ts";
import type { Operation } from "../../src/inventory/operations/operation.ts";
import { HoldSweeper, SWEEP_ORDERS_MAX } from "../../src/jobs/hold_sweeper.ts";
import type { DueOrder } from "../../src/store/statements/list_holds.ts";
import { DatabaseUnavailableError } from "../../src/store/errors.ts";
import { SILENT } from "../support/silent_log.ts";

const NOW_MS = 10_000_000;
const EXPIRED: Verdict = { ok: true, kind: "expired" };

/** Orders that are due, by the end of their hold; one that can't be written down stays. */
class Orders {
  readonly asked: TimeKey[] = [];
  readonly pauses: number[] = [];
  /** What a read fails with. */
  away: Error | undefined;
  readonly warnings: object[] = [];
  /** What a read takes. */
  readMs = 0;
  nowMs = 0;
  readonly #due: DueOrder[];
  readonly #bad: ReadonlySet<string>;
  #paused = Promise.withResolvers<void>();

  constructor(count: number, bad: readonly string[] = []) {
    this.#due = Array.from({ length: count }, (_, i) => ({
      orderId: `h${i}`,
      state: "held",
      lines: [{ goodsId: 1, locationId: 0, num: 1 }],
      returned: [0],
      atMs: 0,
      held: [1],
      expiresAtMs: 1000 + i,
    }));
    this.#bad = new Set(bad);
  }

  get left(): string[] {
    return this.#due.map(({ orderId }) => orderId);
  }

  /** Lets the sweeper go on as many times, each until it pauses again. */
  async rounds(sweeper: () => HoldSweeper, times: number): Promise<void> {
    const one = sweeper();
    for (let round = 0; round < times; round++) {
      await this.#next?.();
      await this.#paused.promise;
    }
    await one.stop();
  }

  #next: (() => Promise<void>) | undefined;

  sweeper = (): HoldSweeper =>
    new HoldSweeper({
      store: {
        readDueOrders: (after, limit) => {
          this.asked.push(after);
          this.nowMs += this.readMs;
          if (this.away !== undefined) return Promise.reject(this.away);
          const orders = this.#due.filter(({ orderId, expiresAtMs: ms }) =>
            ms > after.atMs || (ms === after.atMs && orderId > after.orderId)
          );
          return Promise.resolve({ atMs: NOW_MS, orders: orders.slice(0, limit) });
        },
      },
      lanes: {
        applyAll: (operations: readonly Operation[]) =>
          Promise.resolve(operations.map((operation): PromiseSettledResult<Verdict> => {
            assert(operation.kind === "expire");
            const { orderId, read } = operation;
            // As it was read: the lanes need not read it again.
            assertEquals(read, this.#due.find((order) => order.orderId === orderId));
            if (this.#bad.has(orderId)) return { status: "rejected", reason: new Error(`${orderId} can't be written`) };
            this.#due.splice(this.#due.findIndex((order) => order.orderId === orderId), 1);
            return { status: "fulfilled", value: EXPIRED };
          })),
      },
      log: { ...SILENT, warn: (fields) => void this.warnings.push(fields) },
      random: () => 1,
      nowMs: () => this.nowMs,
      pause: (ms, signal) => {
        this.pauses.push(ms);
        this.#paused.resolve();
        this.#paused = Promise.withResolvers<void>();
        return new Promise((resolve) => {
          this.#next = () => Promise.resolve(resolve());
          signal.addEventListener("abort", () => resolve(), { once: true });
        });
      },
    });
}

Deno.test("a sweep takes batches until nothing is due, and the next one begins where nothing older is left", async () => {
  const orders = new Orders(2 * SWEEP_ORDERS_MAX + 1);
  await orders.rounds(orders.sweeper, 2);
  assertEquals(orders.left, []);
  const [first, second, third, next] = orders.asked;
  assertEquals(first, { atMs: 0, orderId: "" });
  assertEquals(second, { atMs: 1000 + SWEEP_ORDERS_MAX - 1, orderId: `h${SWEEP_ORDERS_MAX - 1}` });
  assertEquals(third?.atMs, 1000 + 2 * SWEEP_ORDERS_MAX - 1);
  assert(next !== undefined && next.atMs > 5000 && next.atMs < NOW_MS, `it began again at ${next?.atMs}`);
});

Deno.test("orders that can't be written down are passed over, and looked at again in the next round", async () => {
  const bad = Array.from({ length: SWEEP_ORDERS_MAX }, (_, i) => `h${i}`);
  const orders = new Orders(SWEEP_ORDERS_MAX + 5, bad);
  await orders.rounds(orders.sweeper, 3);
  assertEquals(orders.left, bad);
  assertEquals(orders.asked[2]?.atMs, 999);
});

Deno.test("it waits longer after each failure, and as before after a round that came to something", async () => {
  const orders = new Orders(1);
  orders.away = new Error("away");
  await orders.rounds(orders.sweeper, 7);
  const [usual, ...failed] = orders.pauses;
  assertEquals(usual, 3_000);
  assertEquals(failed, [4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000]);
});

Deno.test("a line of a store that is away has no stack, which one of a fault has", async () => {
  const hasStack = async (away: Error) => {
    const orders = new Orders(1);
    orders.away = away;
    await orders.rounds(orders.sweeper, 2);
    return orders.warnings.map((fields) => "stack" in (fields as { error: object }).error);
  };
  assertEquals(new Set(await hasStack(new DatabaseUnavailableError("away"))), new Set([false]));
  assertEquals(new Set(await hasStack(new TypeError("not a function"))), new Set([true]));
});

Deno.test("behind each batch it rests for several times as long as that took, and never for long", async () => {
  const orders = new Orders(2 * SWEEP_ORDERS_MAX);
  orders.readMs = 10;
  await orders.rounds(orders.sweeper, 2);
  assertEquals(orders.pauses.slice(1), [90, 90]);
  const slow = new Orders(SWEEP_ORDERS_MAX + 1);
  slow.readMs = 5_000;
  await slow.rounds(slow.sweeper, 2);
  assertEquals(slow.pauses, [3_000, 2_000, 3_000]);
  assertEquals(slow.left, []);
});

Deno.test("it stops while it pauses", async () => {
  const orders = new Orders(1);
  await orders.sweeper().stop();
  assertEquals(orders.left, ["h0"]);
});
