/**
 * A process that vanishes without a word, at every place of the protocol: PostgreSQL must not keep for it what it had
 * locked. Others change the same goods within the limit that is named for a silent transaction.
 */
import { assert, assertEquals, assertGreater, assertInstanceOf } from "@std/assert";
import postgres from "postgres";
import type { Operation } from "../../src/inventory/operations/operation.ts";
import { settle } from "../../src/inventory/settle.ts";
import { silentTransactionMsMax } from "../../src/store/statements/end_silent_sessions.ts";
import { RowLockedError, StoreError } from "../../src/store/errors.ts";
import { createStore, type Store } from "../../src/store/store.ts";
import { applyTo, keysOf, sell, set, settleOn } from "../support/apply.ts";
import { createTestDatabase } from "../support/database.ts";
import { ledgerViolations } from "../support/ledger_check.ts";
import { NEVER, TEST_LIMITS, within } from "../support/pool_probe.ts";
import { rejectionOf } from "../support/rejection_of.ts";
import { type SilentLink, startSilentLink } from "../support/silent_link.ts";
import { parsePostgresAddress } from "../../src/config/postgres_address.ts";
import { eventually } from "../support/eventually.ts";

const LIMITS = { ...TEST_LIMITS, max: 1, statementTimeoutMs: 1000, lockTimeoutMs: 100 };
const LIMIT_MS = silentTransactionMsMax(LIMITS.statementTimeoutMs);
/** As readiness looks. */
const LOOK_PAUSE_MS = 200;

/** How a sale is written, and at how many places its link can fall silent. */
const WRITES = {
  "under row locks": { change: changeUnderRowLocks, places: { fresh: 27, used: 14 } },
  "by one write": { change: changeByWrite, places: { fresh: 5, used: 2 } },
} as const;

for (const [write, { change, places }] of Object.entries(WRITES)) {
  for (const state of ["fresh", "used"] as const) {
    Deno.test(`${write}, on a ${state} connection: silent after any message, others change the goods within the limit`, async () => {
      await using bench = await openBench(places[state]);
      const { other, goodsIds, links, stores } = bench;
      // What is written first on a fresh connection is prepared there; one that is used has done it before.
      for (const [i, store] of stores.entries()) {
        if (state === "used") await applied(store, change, sell(`first-${i}`, [goodsIds[i] as number, 1]));
        else await store.readLevels([], NEVER);
      }
      const whole = await messagesOfOne(bench, change, state);
      assertEquals(whole - 1, places[state], "places between the first message of a change and its last");

      const silent = stores.map(async (store, i) => {
        const ready = await change(store, sell(`silent-${i}`, [goodsIds[i] as number, 1]));
        (links[i] as SilentLink).silenceAfter(i + 1);
        return await rejectionOf(ready());
      });
      for (const error of await within(Promise.all(silent), "the changes behind a silent link")) {
        assertInstanceOf(error, StoreError);
      }
      // The control: without a look nobody ends them, though every timeout of PostgreSQL's own has passed.
      await new Promise((resolve) => setTimeout(resolve, 2 * LIMITS.statementTimeoutMs));
      assertGreater(await bench.openTransactions(), 0, "no place keeps anything locked: the test proves nothing");

      const startMs = performance.now();
      const looking = new AbortController();
      const looks = keepLooking(other, looking.signal);
      try {
        for (const [i, goodsId] of goodsIds.entries()) {
          const goOn = async () => {
            const error = await applied(other, change, sell(`other-${i}`, [goodsId, 1])).catch((error) => error);
            if (error !== undefined) assertInstanceOf(error, RowLockedError);
            return error === undefined;
          };
          const leftMs = Math.max(startMs + LIMIT_MS + 3000 - performance.now(), 100);
          assert(await comesTrue(goOn, leftMs), `after message ${i + 1} the goods stay locked`);
        }
        await eventually(async () => await bench.openTransactions() === 0, "no session is left with a transaction");
      } finally {
        looking.abort();
        await looks;
      }
      assertEquals(await ledgerViolations(bench.owner), []);
    });
  }
}

/** Prepares a change; what is answered sends it. */
type Change = (store: Store, operation: Operation) => Promise<() => Promise<unknown>>;

async function changeUnderRowLocks(store: Store, operation: Operation) {
  const keys = keysOf(operation);
  return await Promise.resolve(() =>
    store.changeUnderRowLocks(keys, (snapshot) => Promise.resolve(settle(snapshot, [operation]).changes), NEVER)
  );
}

async function changeByWrite(store: Store, operation: Operation) {
  const { changes } = await settleOn(store, operation);
  return () => store.writeChanges(changes, NEVER);
}

async function applied(store: Store, change: Change, operation: Operation): Promise<void> {
  await (await change(store, operation))();
}

/** How many messages a connection of its own sends for one change, in that state. */
async function messagesOfOne({ serverUrl }: Bench, change: Change, state: "fresh" | "used"): Promise<number> {
  await using link = startSilentLink(Number(new URL(serverUrl).port));
  const store = createStore({ ...LIMITS, address: parsePostgresAddress(through(link.port, serverUrl)) });
  if (state === "used") await applied(store, change, sell("counted-first", [1, 1]));
  else await store.readLevels([], NEVER);
  const ready = await change(store, sell("counted", [1, 1]));
  link.silenceAfter(Infinity);
  await ready();
  await store.close();
  return link.passed;
}

async function keepLooking(store: Store, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await store.ping(NEVER);
    await new Promise((resolve) => setTimeout(resolve, LOOK_PAUSE_MS));
  }
}

async function comesTrue(condition: () => Promise<boolean>, msMax: number): Promise<boolean> {
  const endMs = performance.now() + msMax;
  while (!await condition()) {
    if (performance.now() > endMs) return false;
  }
  return true;
}

interface Bench extends AsyncDisposable {
  readonly goodsIds: readonly number[];
  /** One a goods, each with one connection through its link. */
  readonly stores: readonly Store[];
  readonly links: readonly SilentLink[];
  readonly other: Store;
  readonly serverUrl: string;
  readonly owner: postgres.Sql;
  /** Sessions of the stores that are in a transaction. */
  openTransactions(): Promise<number>;
}

/** As many stores behind a link of their own as there are places, and a goods with stock for each. */
async function openBench(places: number): Promise<Bench> {
  const database = await createTestDatabase();
  const owner = postgres(database.ownerUrl, { max: 1, onnotice: () => {} });
  const goodsIds = Array.from({ length: places }, (_, i) => i + 1);
  const links = goodsIds.map(() => startSilentLink(Number(new URL(database.serverUrl).port)));
  const stores = links.map((link) =>
    createStore({ ...LIMITS, address: parsePostgresAddress(through(link.port, database.serverUrl)) })
  );
  const other = createStore({ ...LIMITS, address: parsePostgresAddress(database.serverUrl) });
  await applyTo(other, ...goodsIds.map((goodsId) => set(`set-${goodsId}`, goodsId, 10)));
  return {
    goodsIds,
    stores,
    links,
    other,
    serverUrl: database.serverUrl,
    owner,
    async openTransactions() {
      const [row] = await owner<{ count: number }[]>`
        select count(*)::int as count from pg_stat_activity
         where application_name = 'holdfast' and datname = current_database() and xact_start is not null`;
      return row?.count ?? 0;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([...stores, other].map((store) => store.close()));
      await Promise.all(links.map((link) => link[Symbol.asyncDispose]()));
      await owner.end({ timeout: 1 });
      await database.drop();
    },
  };
}

function through(port: number, url: string): string {
  const changed = new URL(url);
  changed.port = String(port);
  return changed.href;
}
