/** grpc.health.v1 over the in-memory transport: the board as a client sees it, and what a Watch leaves behind. */
import { assertEquals, assertExists, assertRejects, assertThrows } from "@std/assert";
import { type Client, Code, ConnectError, createClient, createRouterTransport } from "@connectrpc/connect";
import { Health, HealthCheckResponse_ServingStatus as ServingStatus } from "../../src/gen/health/v1/health_pb.ts";
import { HealthBoard, SERVICES_MAX, WATCHERS_MAX } from "../../src/health/board.ts";
import { HEALTH_REQUEST_BYTES_MAX, healthModule } from "../../src/services/health/service.ts";
import { addServices } from "../../src/services/service_module.ts";
import { ObservedBoard } from "../support/observed_board.ts";

const SERVICE = "test.v1.Shop";
const { NOT_SERVING, SERVING, SERVICE_UNKNOWN } = ServingStatus;

function clientOf(board: HealthBoard): Client<typeof Health> {
  return createClient(Health, createRouterTransport((router) => addServices(router, [healthModule(board)])));
}

/** The Watch of a service, as a function that waits for its next status; `"end"` once it has ended without error. */
function watchOf(board: HealthBoard, service: string, signal?: AbortSignal): () => Promise<ServingStatus | "end"> {
  const stream = clientOf(board).watch({ service }, signal ? { signal } : {})[Symbol.asyncIterator]();
  return async () => {
    const { done, value } = await stream.next();
    return done ? "end" : value.status;
  };
}

async function codeOf(call: () => Promise<unknown>): Promise<Code> {
  return (await assertRejects(call, ConnectError)).code;
}

Deno.test("Check answers NOT_SERVING for every service until the board is set otherwise", async () => {
  const board = new HealthBoard([SERVICE]);
  const client = clientOf(board);
  for (const service of ["", SERVICE]) assertEquals((await client.check({ service })).status, NOT_SERVING);
  board.set("SERVING");
  for (const service of ["", SERVICE]) assertEquals((await client.check({ service })).status, SERVING);
});

Deno.test("Check of one service does not follow another, nor the server as a whole", async () => {
  const board = new HealthBoard([SERVICE]);
  board.setService("", "SERVING");
  assertEquals((await clientOf(board).check({ service: "" })).status, SERVING);
  assertEquals((await clientOf(board).check({ service: SERVICE })).status, NOT_SERVING);
});

Deno.test("Check of an unknown service is NOT_FOUND", async () => {
  const board = new HealthBoard([SERVICE]);
  assertEquals(await codeOf(() => clientOf(board).check({ service: "test.v1.Nobody" })), Code.NotFound);
});

Deno.test("a name longer than HEALTH_REQUEST_BYTES_MAX is RESOURCE_EXHAUSTED", async () => {
  const service = "s".repeat(HEALTH_REQUEST_BYTES_MAX);
  assertEquals(await codeOf(() => clientOf(new HealthBoard([])).check({ service })), Code.ResourceExhausted);
});

Deno.test("List answers every service of the board", async () => {
  const board = new HealthBoard([SERVICE]);
  board.setService(SERVICE, "SERVING");
  const { statuses } = await clientOf(board).list({});
  const listed = Object.entries(statuses).map(([service, { status }]) => [service, status]);
  assertEquals(listed, [["", NOT_SERVING], [SERVICE, SERVING]]);
});

Deno.test("HealthBoard refuses a service past SERVICES_MAX, and still takes the ones it has", () => {
  const board = new HealthBoard([]);
  for (let i = 1; i < SERVICES_MAX; i++) board.setService(`s${i}`, "SERVING");
  assertThrows(() => board.setService("one.more", "SERVING"), RangeError, "one.more");
  assertEquals(board.get("one.more"), undefined);
  board.setService("s1", "NOT_SERVING");
  assertEquals(board.get("s1"), "NOT_SERVING");
});

Deno.test("Watch answers at once, then once for each change, and not when nothing changed", async () => {
  const board = new HealthBoard([SERVICE]);
  const next = watchOf(board, SERVICE);
  assertEquals(await next(), NOT_SERVING);
  board.set("SERVING");
  assertEquals(await next(), SERVING);
  board.setService(SERVICE, "SERVING");
  board.setService("", "NOT_SERVING");
  const afterwards = next();
  // Long enough for a wrong answer: each Check goes through the same transport.
  await clientOf(board).check({ service: SERVICE });
  await clientOf(board).check({ service: SERVICE });
  board.set("NOT_SERVING");
  assertEquals(await afterwards, NOT_SERVING);
  board.close();
  assertEquals(await next(), "end");
});

Deno.test("Watch of an unknown service answers SERVICE_UNKNOWN and goes on when the service comes", async () => {
  const board = new HealthBoard([]);
  const next = watchOf(board, SERVICE);
  assertEquals(await next(), SERVICE_UNKNOWN);
  board.setService(SERVICE, "SERVING");
  assertEquals(await next(), SERVING);
  board.close();
  assertEquals([await next(), await next()], [NOT_SERVING, "end"]);
});

Deno.test("Watch gives a slow client the latest status, not each one it missed", async () => {
  const board = new HealthBoard([SERVICE]);
  const next = watchOf(board, SERVICE);
  assertEquals(await next(), NOT_SERVING);
  for (const status of ["SERVING", "NOT_SERVING", "SERVING", "NOT_SERVING", "SERVING"] as const) board.set(status);
  assertEquals(await next(), SERVING);
  board.close();
  assertEquals([await next(), await next()], [NOT_SERVING, "end"]);
});

Deno.test("Watch misses no change that comes while its answer is under way", async () => {
  const board = new HealthBoard([SERVICE]);
  // Changes the board within the step that takes the first status, before the stream can wait for anything.
  const get = board.get.bind(board);
  board.get = (service) => {
    const status = get(service);
    board.get = get;
    board.set("SERVING");
    return status;
  };
  const next = watchOf(board, SERVICE);
  assertEquals([await next(), await next()], [NOT_SERVING, SERVING]);
  board.close();
  assertEquals([await next(), await next()], [NOT_SERVING, "end"]);
});

Deno.test("Watch sleeps while nothing changes", async () => {
  const board = new HealthBoard([SERVICE]);
  const next = watchOf(board, SERVICE);
  assertEquals(await next(), NOT_SERVING);
  board.set("SERVING");
  assertEquals(await next(), SERVING);
  let reads = 0;
  const get = board.get.bind(board);
  board.get = (service) => {
    if (++reads > 10) throw new Error("the Watch reads the board again and again");
    return get(service);
  };
  const waiting = next();
  // One turn of the event loop, which a stream that spins would fill with reads.
  await new Promise((resolve) => setTimeout(resolve, 0));
  board.close();
  assertEquals(await waiting, NOT_SERVING);
});

Deno.test("Watch leaves the board when its client goes away while nothing happens", async () => {
  const board = new ObservedBoard([SERVICE]);
  const gone = new AbortController();
  const next = watchOf(board, SERVICE, gone.signal);
  assertEquals(await next(), NOT_SERVING);
  const waiting = next();
  assertEquals(board.subscribers, 1);
  gone.abort();
  assertEquals(await codeOf(() => waiting), Code.Canceled);
  await board.left;
  assertEquals(board.subscribers, 0);
});

Deno.test("Watch past WATCHERS_MAX is RESOURCE_EXHAUSTED until another ends", async () => {
  const board = new HealthBoard([SERVICE]);
  const others = Array.from({ length: WATCHERS_MAX }, () => board.subscribe(() => {}));
  const first = others[0];
  assertExists(first);
  assertEquals(await codeOf(watchOf(board, SERVICE)), Code.ResourceExhausted);
  assertEquals(board.subscribers, WATCHERS_MAX);
  first();
  const next = watchOf(board, SERVICE);
  assertEquals(await next(), NOT_SERVING);
  board.close();
  assertEquals(await next(), "end");
  assertEquals(board.subscribers, WATCHERS_MAX - 1);
});

Deno.test("a callback subscribed twice is called twice, and leaves once at a time", () => {
  const board = new HealthBoard([SERVICE]);
  let calls = 0;
  const onChange = () => void calls++;
  const [first] = [board.subscribe(onChange), board.subscribe(onChange)];
  assertExists(first);
  board.set("SERVING");
  assertEquals(calls, 2);
  first();
  first();
  board.set("NOT_SERVING");
  assertEquals([calls, board.subscribers], [3, 1]);
});

Deno.test("close() ends every Watch, the known ones with NOT_SERVING as the last word", async () => {
  const board = new HealthBoard([SERVICE]);
  board.set("SERVING");
  const waiting = watchOf(board, SERVICE);
  const busy = watchOf(board, "");
  const unknown = watchOf(board, "test.v1.Nobody");
  assertEquals([await waiting(), await busy(), await unknown()], [SERVING, SERVING, SERVICE_UNKNOWN]);
  const last = waiting();
  board.close();
  assertEquals([await last, await waiting()], [NOT_SERVING, "end"]);
  assertEquals([await busy(), await busy()], [NOT_SERVING, "end"]);
  assertEquals(await unknown(), "end");
  assertEquals(board.subscribers, 0);
});

Deno.test("after leave() the board stays NOT_SERVING, which every Watch says and waits on, and close() ends them", async () => {
  const board = new HealthBoard([SERVICE]);
  board.set("SERVING");
  const next = watchOf(board, SERVICE);
  assertEquals(await next(), SERVING);
  board.leave();
  board.set("SERVING");
  board.setService(SERVICE, "SERVING");
  assertEquals(await next(), NOT_SERVING);
  const { ready, leaving, closed } = board.view;
  assertEquals([ready, leaving, closed, board.closed], [false, true, false, false]);
  const late = watchOf(board, "");
  assertEquals([await late(), board.subscribers], [NOT_SERVING, 2]);
  board.close();
  assertEquals([await next(), await late(), board.view.closed], ["end", "end", true]);
});

Deno.test("after close() the board stays NOT_SERVING, and a new Watch says so and ends", async () => {
  const board = new HealthBoard([SERVICE]);
  board.close();
  board.set("SERVING");
  board.setService(SERVICE, "SERVING");
  assertEquals((await clientOf(board).check({ service: SERVICE })).status, NOT_SERVING);
  const next = watchOf(board, SERVICE);
  assertEquals([await next(), await next()], [NOT_SERVING, "end"]);
});
