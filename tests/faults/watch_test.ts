/**
 * 500 clients watch what three processes sell, while processes are killed, drained and replaced and PostgreSQL is
 * restarted. Each takes its stream up again with its token, at whatever process, and misses nothing: no version of a
 * place twice, none left out, and in the end every one knows what the table says.
 */
import { assert, assertEquals } from "@std/assert";
import postgres from "postgres";
import { pause, settledWithin } from "../../src/base/bounded_wait.ts";
import { call, callUntilDecided, tally } from "../support/callers.ts";
import { startOwnPostgres } from "../support/own_postgres.ts";
import { seededRandom } from "../support/rude_http2.ts";
import { startServer, type TestServer } from "../support/server.ts";
import {
  connectSource,
  grpcJsSource,
  type StreamLevel,
  type StreamRequest,
  type StreamSource,
} from "../support/stream_sources.ts";
import { placeOf, Watcher } from "../support/watching_client.ts";

const WATCHERS = 500;
/** Clients on one HTTP/2 connection, which takes no more than 100 streams. */
const PER_CONNECTION = 50;
const PROCESSES = 3;
const GOODS = [1, 2, 3, 4];
const LOCATIONS = [0, 1];
const STOCK = 1_000_000;
const CALLERS = 3;
/** Sales between two faults, so that each one meets all at work. */
const SALES_BETWEEN = 15;
/** Of each caller between its orders: an order reaches some 300 clients, and how these resume is what is tried here. */
const PAUSE_MS = 150;
/** Until a change has reached everybody, whatever has just happened. */
const SEEN_MS_MAX = 40_000;
const TEST_MS_MAX = 170_000;

const ENV = {
  WATCHERS_MAX: "1000",
  ADDRESS_SHARE_MAX: "1",
  DATABASE_POOL_MAX: "4",
  CONCURRENCY: "optimistic",
};

/** What a client watches, by its number: most one goods, some all, or some places. */
function requestOf(watcher: number): StreamRequest {
  if (watcher % 10 === 0) return {};
  if (watcher % 10 === 1) return { locationIds: [LOCATIONS[watcher % 2]!] };
  return { goodsIds: [GOODS[watcher % GOODS.length]!] };
}

const isWatched = ({ goodsIds, locationIds }: StreamRequest, goodsId: number, locationId: number): boolean =>
  (goodsIds as number[] | undefined)?.includes(goodsId) !== false &&
  (locationIds as number[] | undefined)?.includes(locationId) !== false;

Deno.test({
  name: "500 clients watch three processes that are killed, drained and replaced, and a PostgreSQL that restarts",
  async fn() {
    const seed = Math.floor(Math.random() * 2 ** 31);
    console.log(`seed ${seed}`);
    const random = seededRandom(seed);
    await using own = await startOwnPostgres({ fsync: false });
    const database = await own.database("watched");
    const began = performance.now();
    const step = (what: string) => console.log(`${Math.round((performance.now() - began) / 1000)} s: ${what}`);
    const start = () => startServer({ database, env: ENV });
    const servers: TestServer[] = await Promise.all(Array.from({ length: PROCESSES }, start));
    const watchers: Watcher[] = [];
    const sources = new Map<string, StreamSource>();
    try {
      for (const goodsId of GOODS) {
        for (const locationId of LOCATIONS) {
          await callUntilDecided(servers[0]!.url, "SetInv", { goodsId, locationId, num: STOCK });
        }
      }
      const dialOf = (group: number) => (attempt: number) => {
        const { url } = servers[(group + attempt) % servers.length]!;
        const known = sources.get(`${group} ${url}`) ?? sourceOf(group, url);
        sources.set(`${group} ${url}`, known);
        return known;
      };
      for (let i = 0; i < WATCHERS; i++) {
        const group = Math.floor(i / PER_CONNECTION);
        watchers.push(new Watcher({ name: `watcher ${i}`, dial: dialOf(group), request: requestOf(i), random }));
      }
      watchers.forEach((watcher) => watcher.start());
      const places = GOODS.flatMap((goodsId) => LOCATIONS.map((locationId) => ({ goodsId, locationId })));
      const expected = watchers.map((_, i) =>
        places.filter(({ goodsId, locationId }) => isWatched(requestOf(i), goodsId, locationId)).map(placeOf)
      );
      await Promise.all(
        watchers.map((watcher, i) => watcher.until(({ levels }) => expected[i]!.every((place) => levels.has(place)))),
      );

      step("all have their snapshot");
      const sales = sell(servers, random);
      /** Everybody has seen what the table says now: all streams are up again. Answers what it says. */
      const allSee = async (): Promise<Map<string, StreamLevel>> => {
        const stands = await levelsOf(database.ownerUrl);
        const lacks = ({ levels }: Watcher, i: number) =>
          expected[i]!.filter((place) => (levels.get(place)?.version ?? 0) < stands.get(place)!.version);
        const all = Promise.all(watchers.map((watcher, i) => watcher.until(() => lacks(watcher, i).length === 0)));
        if (await settledWithin(all, SEEN_MS_MAX)) return stands;
        const late = watchers.flatMap((watcher, i) => {
          const places = lacks(watcher, i);
          return places.length === 0
            ? []
            : [`watcher ${i} lacks the last of ${places}: ${JSON.stringify(watcher.counts)}`];
        });
        throw new Error(`${late.length} watchers have not seen all: ${late.slice(0, 5).join("; ")}`);
      };
      const allSeeMore = async () => {
        await sales.more(SALES_BETWEEN);
        await allSee();
      };
      await allSeeMore();
      step("all see what is sold; one is killed");
      servers[0]!.signal("SIGKILL");
      await servers[0]!.exited;
      servers[0] = await start();
      await allSeeMore();
      step("another is drained");
      const drained = servers[1]!;
      servers[1] = await start();
      assertEquals(await drained.stop("SIGTERM"), 0);
      await allSeeMore();
      step("PostgreSQL is killed and started");
      await own.server.restart("immediate");
      await allSeeMore();
      step("the sales end");
      await sales.end();

      const stands = await allSee();
      const counts = watchers.reduce((sum, watcher) => {
        for (const [name, count] of Object.entries(watcher.counts)) sum[name] = (sum[name] ?? 0) + count;
        return sum;
      }, {} as Record<string, number>);
      console.log(`${sales.sold} orders were sold; the watchers saw ${JSON.stringify(counts)}`);
      assertEquals(watchers.flatMap(({ faults }) => faults).slice(0, 3), []);
      watchers.forEach((watcher, i) => {
        const known = Object.fromEntries([...watcher.levels].sort());
        const isSo = Object.fromEntries([...stands].filter(([place]) => expected[i]!.includes(place)).sort());
        assertEquals(known, isSo, `watcher ${i}`);
      });
      // Of three processes one was killed and one drained, each with a third of the streams or more.
      assert(counts.WATCH_START_RESUMED! > WATCHERS / 2, "most streams were taken up again");
      assert(counts.WATCH_END_DRAINING! > 0, "a process that is drained ends its streams");
      assertEquals(tally(watchers.map(({ failure }) => `${failure}`)), { undefined: WATCHERS });
    } finally {
      await Promise.all(watchers.map((watcher) => watcher.stop()));
      for (const source of sources.values()) source.close();
      await Promise.all(servers.map((server) => server.stop("SIGTERM")));
    }
  },
  timeout: TEST_MS_MAX,
} as Deno.TestDefinition);

/** Mostly grpc-js, and the others beside it. */
function sourceOf(group: number, url: string): StreamSource {
  if (group === 0) return connectSource(url, "gRPC-web", "2");
  if (group === 1) return connectSource(url, "Connect", "2");
  return grpcJsSource(url);
}

/** Callers that sell at all processes until they are ended; each order is repeated until it is decided. */
function sell(servers: readonly TestServer[], random: () => number) {
  let sold = 0;
  let [isSelling, reached, target] = [true, () => {}, Infinity];
  const callers = Array.from({ length: CALLERS }, async (_, caller) => {
    for (let i = 0; isSelling; i++) {
      const lines = [...new Set([random(), random()].map((chance) => GOODS[Math.floor(chance * GOODS.length)]!))];
      const goodsInfo = lines.map((goodsId) => ({ goodsId, num: 1, locationId: LOCATIONS[(caller + i) % 2]! }));
      const order = { orderId: `${caller}-${i}`, goodsInfo };
      for (let attempt = 0;; attempt++) {
        const { url } = servers[(caller + i + attempt) % servers.length]!;
        const { code } = await call(url, "Sell", order);
        if (code === "ok") break;
        await pause(10 + 90 * random(), AbortSignal.timeout(1_000));
      }
      if (++sold >= target) reached();
      await pause(PAUSE_MS, AbortSignal.timeout(1_000));
    }
  });
  return {
    get sold() {
      return sold;
    },
    more: (count: number) =>
      new Promise<void>((resolve) => {
        target = sold + count;
        reached = resolve;
      }),
    async end() {
      isSelling = false;
      await Promise.all(callers);
    },
  };
}

/** Where each place stands in the table. */
async function levelsOf(ownerUrl: string): Promise<Map<string, StreamLevel>> {
  const sql = postgres(ownerUrl, { max: 1 });
  try {
    const rows = await sql`select goods_id, location_id, version, on_hand, reserved from levels`;
    return new Map(rows.map((row) => {
      const level: StreamLevel = {
        goodsId: row.goods_id,
        locationId: row.location_id,
        version: Number(row.version),
        onHand: row.on_hand,
        reserved: row.reserved,
      };
      return [placeOf(level), level];
    }));
  } finally {
    await sql.end();
  }
}
