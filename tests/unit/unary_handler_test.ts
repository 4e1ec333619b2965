/** A unary handler behind its interceptors, put together once for all calls. */
import { create } from "@bufbuild/protobuf";
import { createContextValues, createMethodImplSpec, type Interceptor, type MethodImpl } from "@connectrpc/connect";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { InvariantError } from "../../src/base/invariant.ts";
import { Health, HealthCheckRequestSchema } from "../../src/gen/health/v1/health_pb.ts";
import { createUnaryHandler, type HandledCall, type UnarySpec } from "../../src/rpc/unary_handler.ts";

const METHOD = Health.method.check;

Deno.test("calls go through all interceptors to the handler and back, by one chain", async () => {
  const seen: string[] = [];
  let chains = 0;
  const noting = (name: string): Interceptor => (next) => {
    chains++;
    return async (request) => {
      seen.push(`${name} ${request.header.get("x")}`);
      const response = await next(request);
      seen.push(`${name} ${response.stream}`);
      return response;
    };
  };
  const handle = createUnaryHandler(
    spec(({ service }, { requestHeader, responseHeader }) => {
      seen.push(`handler ${service} ${requestHeader.get("x")}`);
      responseHeader.set("y", "2");
      return { status: 1 };
    }),
    [noting("outer"), noting("inner")],
  );
  for (let i = 0; i < 2; i++) {
    const asked = call();
    assertEquals(await handle(asked), create(METHOD.output, { status: 1 }));
    assertEquals(asked.responseHeader.get("y"), "2");
  }
  const each = ["outer 1", "inner 1", "handler a 1", "inner false", "outer false"];
  assertEquals(seen, [...each, ...each]);
  assertEquals(chains, 2);
});

Deno.test("what handlers and interceptors throw, whenever they do, rejects", async () => {
  const fault = new Error("a bug");
  const throwing = () => {
    throw fault;
  };
  for (
    const handle of [
      createUnaryHandler(spec(throwing)),
      createUnaryHandler(spec(() => Promise.reject(fault))),
      createUnaryHandler(spec(() => ({})), [() => throwing]),
    ]
  ) assert(await handle(call()).catch((error) => error) === fault);
});

Deno.test("an interceptor can't hand on a call of its own, of which the handler would know less", async () => {
  const replacing: Interceptor = (next) => (request) => {
    const { stream, service, method, requestMethod, url, signal, header, contextValues, message } = request;
    return next({ stream, service, method, requestMethod, url, signal, header, contextValues, message } as HandledCall);
  };
  const handle = createUnaryHandler(spec(() => ({})), [replacing]);
  await assertRejects(() => handle(call()), InvariantError, "another call");
});

function spec(impl: MethodImpl<typeof METHOD>): UnarySpec {
  return createMethodImplSpec(METHOD, impl) as unknown as UnarySpec;
}

function call(): HandledCall {
  const header = new Headers({ x: "1" });
  const values = createContextValues();
  return {
    stream: false,
    method: METHOD,
    service: Health,
    protocolName: "grpc",
    requestMethod: "POST",
    url: "http://localhost/grpc.health.v1.Health/Check",
    message: create(HealthCheckRequestSchema, { service: "a" }),
    header,
    requestHeader: header,
    contextValues: values,
    values,
    signal: new AbortController().signal,
    timeoutMs: () => undefined,
    responseHeader: new Headers(),
    responseTrailer: new Headers(),
  };
}
