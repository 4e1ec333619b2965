import { Code, ConnectError, createClient, createRouterTransport } from "@connectrpc/connect";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { Health } from "../../src/gen/health/v1/health_pb.ts";
import { callSignal, deadline } from "../../src/rpc/deadline.ts";
import { errorBoundary, refuseWhileDraining } from "../../src/rpc/interceptors.ts";
import type { Log } from "../../src/telemetry/log.ts";

interface Line {
  readonly level: keyof Log;
  readonly fields: Record<string, unknown>;
}

function recordingLog(): { log: Log; lines: Line[] } {
  const lines: Line[] = [];
  const at = (level: keyof Log) => (fields: Record<string, unknown>) => void lines.push({ level, fields });
  return { lines, log: { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") } };
}

Deno.test("a fault of a unary call is logged under its request id and answered with a fixed text", async () => {
  const { log, lines } = recordingLog();
  const transport = createRouterTransport(({ service }) => {
    service(Health, {
      check() {
        throw new TypeError("password=hunter2");
      },
    });
  }, { router: { interceptors: [errorBoundary(log)] } });
  const call = () => createClient(Health, transport).check({}, { headers: { "x-request-id": "abc" } });
  const error = await assertRejects(call, ConnectError);
  assertEquals([error.code, error.rawMessage], [Code.Internal, "internal error"]);
  const [line] = lines.filter(({ level }) => level === "error");
  assertEquals(line?.fields.requestId, "abc");
  assertEquals((line?.fields.error as Error).message, "password=hunter2");
});

Deno.test("a fault in the middle of a stream is logged and answered in the same manner", async () => {
  const { log, lines } = recordingLog();
  const transport = createRouterTransport(({ service }) => {
    service(Health, {
      async *watch() {
        yield { status: 1 };
        throw await Promise.resolve(new TypeError("a bug"));
      },
    });
  }, { router: { interceptors: [errorBoundary(log)] } });
  const seen: number[] = [];
  const error = await assertRejects(async () => {
    for await (const message of createClient(Health, transport).watch({})) seen.push(message.status);
  }, ConnectError);
  assertEquals([seen, error.code, error.rawMessage], [[1], Code.Internal, "internal error"]);
  assertEquals(lines.filter(({ level }) => level === "error").length, 1);
});

Deno.test("a call ends at the server's own limit, and its handler learns it", async () => {
  const { log } = recordingLog();
  const learnt = Promise.withResolvers<unknown>();
  const transport = createRouterTransport(({ service }) => {
    service(Health, {
      check(_request, context) {
        callSignal(context).addEventListener("abort", () => learnt.resolve(callSignal(context).reason));
        return new Promise(() => {});
      },
    });
  }, { router: { interceptors: [deadline(20, log)] } });
  const error = await assertRejects(() => createClient(Health, transport).check({}), ConnectError);
  assertEquals(error.code, Code.DeadlineExceeded);
  assertEquals((await learnt.promise as ConnectError).code, Code.DeadlineExceeded);
});

Deno.test("a fault that comes after the call has ended is logged all the same", async () => {
  const { log, lines } = recordingLog();
  const ended = Promise.withResolvers<void>();
  const late = Promise.withResolvers<void>();
  const transport = createRouterTransport(({ service }) => {
    service(Health, {
      async check() {
        await ended.promise;
        late.resolve();
        throw new TypeError("too late");
      },
    });
  }, { router: { interceptors: [deadline(20, log)] } });
  await assertRejects(() => createClient(Health, transport).check({}), ConnectError);
  ended.resolve();
  await late.promise;
  await new Promise((resolve) => setTimeout(resolve, 0));
  assertEquals(lines.map(({ level }) => level), ["error"]);
});

Deno.test("while it drains everything is refused but the exempt services", async () => {
  const services = new Set(["another.Service"]);
  const transport = createRouterTransport(({ service }) => {
    service(Health, { check: () => ({ status: 2 }) });
  }, { router: { interceptors: [refuseWhileDraining(() => true, services)] } });
  const error = await assertRejects(() => createClient(Health, transport).check({}), ConnectError);
  assertEquals(error.code, Code.Unavailable);
  services.add(Health.typeName);
  assert((await createClient(Health, transport).check({})).status === 2);
});
