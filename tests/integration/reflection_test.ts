/**
 * Health and reflection against clients that are not ours: `buf curl` without any schema, and grpc-js with the
 * health proto as published. A real HTTP/2 server on a free port of 127.0.0.1, nothing of inventory behind it.
 */
import { assert, assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import type { DescService } from "@bufbuild/protobuf";
import { createClient } from "@connectrpc/connect";
import { connectNodeAdapter, createGrpcTransport, Http2SessionManager } from "@connectrpc/connect-node";
import { credentials, loadPackageDefinition, type ServiceError, status as grpcStatus } from "@grpc/grpc-js";
import { load } from "@grpc/proto-loader";
import { once } from "node:events";
import http2 from "node:http2";
import type { AddressInfo } from "node:net";
import { inventory } from "../../src/gen/article/inventory_pb.ts";
import { ServerReflection } from "../../src/gen/grpc/reflection/v1/reflection_pb.ts";
import { Health } from "../../src/gen/health/v1/health_pb.ts";
import { InventoryService } from "../../src/gen/inventory/v1/inventory_pb.ts";
import { healthModule } from "../../src/services/health/service.ts";
import { REFLECTION_STREAMS_MAX, reflectionModules } from "../../src/services/reflection/service.ts";
import { addServices } from "../../src/services/service_module.ts";
import { testEnvironment } from "../support/env.ts";
import { ObservedBoard } from "../support/observed_board.ts";

const HEALTH_PROTO = "node_modules/grpc-health-check/proto/health/v1/health.proto";

/** Only there so that a fault ends a test instead of hanging it. */
const CLIENT_MS_MAX = 20_000;

interface TestServer extends AsyncDisposable {
  address: string;
  board: ObservedBoard;
}

/** Serves health, reflection, and the given services; of these only the article's InvDetail has an answer. */
async function serve(services: readonly DescService[], byName: readonly DescService[] = []): Promise<TestServer> {
  const served = [...services, ...byName];
  const board = new ObservedBoard(served.map(({ typeName }) => typeName));
  const handler = connectNodeAdapter({
    routes(router) {
      const reflection = reflectionModules({ listed: [...services, Health], byName });
      addServices(router, [healthModule(board), ...reflection]);
      if (served.includes(inventory)) {
        router.service(inventory, { invDetail: ({ goodsId }) => ({ goodsId, num: 7 }) });
      }
    },
  });
  const sessions = new Set<http2.ServerHttp2Session>();
  const server = http2.createServer(handler);
  server.on("session", (session) => sessions.add(session));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    board,
    async [Symbol.asyncDispose]() {
      for (const session of sessions) session.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

/** The same promise, but rejected if it takes longer than any client may. */
async function inTime<T>(promise: Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`nothing came within ${CLIENT_MS_MAX} ms`)), CLIENT_MS_MAX);
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

interface BufResult {
  code: number;
  stdout: string;
  stderr: string;
}

async function bufCurl(...args: string[]): Promise<BufResult> {
  const { code, stdout, stderr } = await new Deno.Command(testEnvironment().buf, {
    args: ["curl", "--protocol", "grpc", "--http2-prior-knowledge", ...args],
    signal: AbortSignal.timeout(CLIENT_MS_MAX),
  }).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** The lines that buf prints when all is well. */
async function bufLines(...args: string[]): Promise<string[]> {
  const { code, stdout, stderr } = await bufCurl(...args);
  assertEquals([code, stderr], [0, ""]);
  return stdout.trim().split("\n");
}

function methodsOf(...services: DescService[]): string[] {
  return services.flatMap(({ typeName, methods }) => methods.map(({ name }) => `${typeName}/${name}`)).sort();
}

for (const version of ["grpc-v1", "grpc-v1alpha"]) {
  const reflect = ["--reflect-protocol", version];

  Deno.test(`buf curl lists the services of both roots through ${version}`, async () => {
    await using server = await serve([InventoryService, inventory]);
    assertEquals(await bufLines(...reflect, "--list-services", `http://${server.address}`), [
      "grpc.health.v1.Health",
      "grpc.reflection.v1.ServerReflection",
      "grpc.reflection.v1alpha.ServerReflection",
      "inventory",
      "inventory.v1.InventoryService",
    ]);
  });

  Deno.test(`buf curl lists the methods through ${version}, the unlisted root left out`, async () => {
    // Listed beside `inventory.v1`, the service `inventory` would take the name of that package and break the list.
    await using server = await serve([InventoryService], [inventory]);
    const listed = await bufLines(...reflect, "--list-methods", `http://${server.address}`);
    const expected = methodsOf(InventoryService, Health);
    assertEquals(listed.filter((line) => !line.startsWith("grpc.reflection.")).sort(), expected);
  });

  Deno.test(`buf curl calls either root and health without a schema through ${version}`, async () => {
    await using server = await serve([InventoryService], [inventory]);
    server.board.setService("inventory", "SERVING");
    const call = (path: string, data: string) => bufCurl(...reflect, "-d", data, `http://${server.address}/${path}`);

    const article = await call("inventory/InvDetail", `{"goodsId": 42}`);
    assertEquals([article.code, JSON.parse(article.stdout)], [0, { goodsId: 42, num: 7 }]);
    // Not implemented by this server; to learn that, buf had to find the method and encode its request.
    const packaged = await call("inventory.v1.InventoryService/InvDetail", `{"goodsId": 42}`);
    assertEquals(packaged.code, grpcStatus.UNIMPLEMENTED << 3);
    const wrongField = await call("inventory.v1.InventoryService/InvDetail", `{"nobody": 42}`);
    assertStringIncludes(wrongField.stderr, "nobody");

    const whole = await call("grpc.health.v1.Health/Check", "{}");
    assertEquals([whole.code, JSON.parse(whole.stdout)], [0, { status: "NOT_SERVING" }]);
    const one = await call("grpc.health.v1.Health/Check", `{"service": "inventory"}`);
    assertEquals([one.code, JSON.parse(one.stdout)], [0, { status: "SERVING" }]);
    const unknown = await call("grpc.health.v1.Health/Check", `{"service": "inventory.v1"}`);
    assertEquals(unknown.code, grpcStatus.NOT_FOUND << 3);
  });

  Deno.test(`buf curl learns by ${version} that a service is unknown`, async () => {
    await using server = await serve([InventoryService, inventory]);
    const { code, stderr } = await bufCurl(...reflect, `http://${server.address}/inventory.v2.Nobody/Sell`);
    assert(code !== 0);
    assertMatch(stderr, /inventory\.v2\.Nobody/);
  });
}

Deno.test("reflection streams that clients drop do not count against later ones", async () => {
  await using server = await serve([]);
  const manager = new Http2SessionManager(`http://${server.address}`);
  const transport = createGrpcTransport({ baseUrl: `http://${server.address}`, sessionManager: manager });
  const client = createClient(ServerReflection, transport);
  async function* listAndHold(dropped: AbortSignal) {
    yield { messageRequest: { case: "listServices" as const, value: "" } };
    await once(dropped, "abort");
  }
  for (let i = 0; i < 2 * REFLECTION_STREAMS_MAX; i++) {
    const drop = new AbortController();
    const signal = AbortSignal.any([drop.signal, AbortSignal.timeout(CLIENT_MS_MAX)]);
    const stream = client.serverReflectionInfo(listAndHold(drop.signal), { signal })[Symbol.asyncIterator]();
    assertEquals((await stream.next()).value?.messageResponse.case, "listServicesResponse");
    drop.abort();
    await assertRejects(() => stream.next());
  }
  manager.abort();
});

interface GrpcHealth {
  check(
    request: { service: string },
    options: { deadline: number },
    callback: (error: ServiceError | null, response?: { status: string }) => void,
  ): void;
  watch(request: { service: string }, options: { deadline: number }): GrpcStream;
  close(): void;
}
type GrpcStream = AsyncIterable<{ status: string }> & { cancel(): void };

/** A grpc-js client made from the published proto, with enums as their names. */
async function grpcHealth(address: string): Promise<GrpcHealth> {
  const definition = loadPackageDefinition(await load(HEALTH_PROTO, { enums: String, defaults: true }));
  // deno-lint-ignore no-explicit-any
  const { Health } = (definition as any).grpc.health.v1;
  return new Health(address, credentials.createInsecure());
}

function options(): { deadline: number } {
  return { deadline: Date.now() + CLIENT_MS_MAX };
}

/** The status of a service, or the gRPC status code of the error. */
function grpcCheck(client: GrpcHealth, service: string): Promise<string | number> {
  const { promise, resolve } = Promise.withResolvers<string | number>();
  client.check({ service }, options(), (error, response) => resolve(error?.code ?? response!.status));
  return promise;
}

/** Next status of a Watch; `"end"` once the server has ended it with OK. */
function grpcWatch(client: GrpcHealth, service: string): { next: () => Promise<string>; cancel: () => void } {
  const call = client.watch({ service }, options());
  const iterator = call[Symbol.asyncIterator]();
  return {
    async next() {
      const { done, value } = await iterator.next();
      return done ? "end" : value.status;
    },
    cancel: () => call.cancel(),
  };
}

Deno.test("grpc-js checks and watches through changes to the end", async () => {
  await using server = await serve([inventory]);
  const client = await grpcHealth(server.address);
  assertEquals(await grpcCheck(client, "inventory"), "NOT_SERVING");
  assertEquals(await grpcCheck(client, "nobody"), grpcStatus.NOT_FOUND);
  const watch = grpcWatch(client, "inventory");
  const unknown = grpcWatch(client, "nobody");
  assertEquals([await watch.next(), await unknown.next()], ["NOT_SERVING", "SERVICE_UNKNOWN"]);
  server.board.set("SERVING");
  assertEquals(await watch.next(), "SERVING");
  assertEquals([await grpcCheck(client, ""), await grpcCheck(client, "inventory")], ["SERVING", "SERVING"]);
  server.board.close();
  assertEquals([await watch.next(), await watch.next(), await unknown.next()], ["NOT_SERVING", "end", "end"]);
  assertEquals(await grpcCheck(client, ""), "NOT_SERVING");
  client.close();
});

Deno.test("a grpc-js client that cancels its Watch leaves nothing behind", async () => {
  await using server = await serve([inventory]);
  const client = await grpcHealth(server.address);
  const watch = grpcWatch(client, "inventory");
  assertEquals(await watch.next(), "NOT_SERVING");
  assertEquals(server.board.subscribers, 1);
  const cancelled = assertRejects(watch.next, Error, "Cancelled");
  watch.cancel();
  await cancelled;
  await inTime(server.board.left);
  assertEquals(server.board.subscribers, 0);
  client.close();
});
