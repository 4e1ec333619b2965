/**
 * Several hosts in one address: the one that takes writes is found, followed when it is another, and not dialled to
 * death.
 */
import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import postgres from "postgres";
import { parsePostgresAddress } from "../../src/config/postgres_address.ts";
import { migrate } from "../../src/migrate/main.ts";
import { DatabaseUnavailableError } from "../../src/store/errors.ts";
import { DIALS_A_SECOND_MAX } from "../../src/store/postgres/primary.ts";
import { createStore, type Store } from "../../src/store/store.ts";
import { applyTo, set } from "../support/apply.ts";
import { createTestDatabase } from "../support/database.ts";
import { makeDatabase, startCopiedPostgres } from "../support/own_postgres.ts";
import { NEVER, TEST_LIMITS } from "../support/pool_probe.ts";
import { startProxy, type TcpProxy } from "../support/tcp_proxy.ts";
import { eventually } from "../support/eventually.ts";

/** One of the servers: what its owner does with it. */
interface Server extends AsyncDisposable {
  readonly proxy: TcpProxy;
  /** Whether it takes writes from now on; its sessions are ended. */
  takeWrites(yes: boolean): Promise<void>;
  /** Units of goods 1. */
  onHand(): Promise<number | undefined>;
}

function serverOf(ownerUrl: string, database: string): Server {
  const owner = postgres(ownerUrl, { max: 1, onnotice: () => {}, connection: { application_name: "owner" } });
  const proxy = startProxy(Number(/:(\d+)\//.exec(ownerUrl)?.[1]));
  return {
    proxy,
    async takeWrites(yes) {
      await owner.unsafe(`alter database ${database} set default_transaction_read_only = ${yes ? "off" : "on"}`);
      await owner`
        select pg_terminate_backend(pid) from pg_stat_activity
         where datname = current_database() and application_name <> 'owner' and backend_type = 'client backend'`;
    },
    async onHand() {
      const [row] = await owner<{ on_hand: number }[]>`select on_hand from levels where goods_id = 1`;
      return row?.on_hand;
    },
    async [Symbol.asyncDispose]() {
      await owner.end({ timeout: 1 });
      await proxy[Symbol.asyncDispose]();
    },
  };
}

Deno.test("of several hosts the one that takes writes is used, wherever it stands and whichever it becomes", async (t) => {
  await using database = await createTestDatabase();
  const dir = await Deno.makeTempDir({ prefix: "hosts-" });
  await Deno.chmod(dir, 0o755);
  // The same role and password on both.
  const second = await startCopiedPostgres(dir);
  try {
    await makeDatabase(second, database.name);
    await using a = serverOf(database.ownerUrl, database.name);
    await using b = serverOf(second.ownerUrl(database.name), database.name);
    // Nobody listens there; a port that was closed a moment ago may be somebody else's by then.
    const closedPort = 1;
    const hosts = [closedPort, b.proxy.port, a.proxy.port].map((port) => `127.0.0.1:${port}`).join(",");
    const address = parsePostgresAddress(database.serverUrl.replace(/@[^/]+/, `@${hosts}`));
    const store = createStore({ ...TEST_LIMITS, address });

    await t.step("a closed port and one that only reads stand before it", async () => {
      await b.takeWrites(false);
      await store.ping(NEVER);
      await applyTo(store, set("first", 1, 10));
      assertEquals([await a.onHand(), await b.onHand()], [10, undefined]);
    });

    await t.step("the other takes its place", async () => {
      await a.takeWrites(false);
      await b.takeWrites(true);
      await eventually(() => pings(store), "the new one is found");
      await applyTo(store, set("second", 1, 20));
      assertEquals([await a.onHand(), await b.onHand()], [10, 20]);
    });

    await t.step("while none takes writes, calls are refused at once, and dials are few", async () => {
      await b.takeWrites(false);
      await eventually(async () => !await pings(store), "it is noticed");
      const before = a.proxy.opened + b.proxy.opened;
      const startedMs = performance.now();
      let refused = 0;
      while (performance.now() - startedMs < 1500) {
        const errors = await Promise.all(
          Array.from({ length: 50 }, () => store.readLevels([1], NEVER).catch((e) => e)),
        );
        for (const error of errors) assertInstanceOf(error, DatabaseUnavailableError);
        refused += errors.length;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      const seconds = (performance.now() - startedMs) / 1000;
      const dials = a.proxy.opened + b.proxy.opened - before;
      // The dials of the closed port are not counted here.
      const most = DIALS_A_SECOND_MAX * (seconds + 1);
      assert(dials <= most, `${dials} dials in ${seconds} s for ${refused} calls, expected up to ${most}`);
      assert(dials > 0 && refused > dials, `${dials} dials, ${refused} calls`);
      const why = await store.ping(NEVER).catch((error) => `${error.message} ${error.cause?.message}`);
      assert(String(why).includes("no host takes writes (127.0.0.1:"), String(why));
    });

    await t.step("it goes on when one does again", async () => {
      await a.takeWrites(true);
      await eventually(() => pings(store), "the first one is found again");
      await applyTo(store, set("third", 1, 30));
      assertEquals([await a.onHand(), await b.onHand()], [30, 20]);
    });

    await t.step("migrate goes to the one that takes writes", async () => {
      const owner = parsePostgresAddress(
        // The owner's password is the second server's, so only that one can be meant.
        second.ownerUrl(database.name).replace(/@[^/]+/, `@127.0.0.1:${closedPort},127.0.0.1:${second.port}`),
      );
      await b.takeWrites(true);
      const said = await migrate({ owner, server: address, direction: "status", log: TEST_LIMITS.log });
      assert(/Applied: [1-9]/.test(said), said);
    });
    await store.close();
  } finally {
    await second.stop("immediate");
  }
});

function pings(store: Store): Promise<boolean> {
  return store.ping(NEVER).then(() => true, () => false);
}
