/**
 * Limits of calls over the wire, by every protocol: who is over one is refused with a reason and with when to come
 * again, and no handler sees it; health goes on whatever comes.
 */
import { type Client, Code, ConnectError, createClient, createContextKey, type Transport } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport, createGrpcWebTransport } from "@connectrpc/connect-node";
import { assert, assertEquals } from "@std/assert";
import type { Identity } from "../../src/auth/identity.ts";
import { ANYONE, withContained } from "../../src/auth/rights.ts";
import { ErrorInfoSchema, RetryInfoSchema } from "../../src/gen/google/rpc/error_details_pb.ts";
import { Health } from "../../src/gen/health/v1/health_pb.ts";
import { InventoryService } from "../../src/gen/inventory/v1/inventory_pb.ts";
import { CallLimits } from "../../src/limits/call_limits.ts";
import { createRpcHandler } from "../../src/rpc/router.ts";
import { withListener } from "../support/listening.ts";
import { RawPeer } from "../support/raw_peer.ts";
import { eventually } from "../support/eventually.ts";
import { SILENT } from "../support/silent_log.ts";

const identityKey = createContextKey<Identity | undefined>(undefined);
const CALLS_MAX = 2;
const RATE_MAX = 3;

type Bounds = ConstructorParameters<typeof CallLimits>[0]["bounds"];
type Protocol = (headers: Record<string, string>) => Transport;

/** Runs with a service of these limits, whose callers say by a header who they are, and with each protocol. */
async function withLimits(
  bounds: Bounds,
  run: (setting: {
    readonly protocols: ReadonlyMap<string, Protocol>;
    readonly limits: CallLimits;
    readonly port: number;
    /** Calls that reached the handler. */
    readonly handled: () => number;
    readonly open: () => void;
  }) => Promise<void>,
): Promise<void> {
  const latch = Promise.withResolvers<void>();
  let handled = 0;
  const limits = new CallLimits({
    inner: {
      challenge: undefined,
      async admit({ headers, values }) {
        // As a token is verified.
        await Promise.resolve();
        const name = headers["x-as"];
        if (typeof name !== "string") return;
        const rights = withContained([name.startsWith("operator") ? "operator" : "seller"]);
        values.set(identityKey, { kind: "keys", name, rights, isValid: () => true });
      },
    },
    identityOf: (values) => values.get(identityKey),
    rightOf: (method) => method.parent === Health ? ANYONE : method.name === "SetInv" ? "operator" : "seller",
    bounds,
    streams: { max: 2, addressShare: 1, identityMax: 1 },
    loopDelayMsMax: 100,
    random: () => 0,
    log: SILENT,
  });
  const handler = createRpcHandler({
    log: SILENT,
    admission: limits,
    routes: (router) =>
      router.service(Health, { check: () => ({}) }).service(InventoryService, {
        setInv: () => ({ num: ++handled }),
        async sell({ orderId }) {
          handled++;
          if (orderId === "latch") await latch.promise;
          return {};
        },
      }),
  });
  await withListener({ handler }, async ({ listener: { url: baseUrl, port } }) => {
    const withHeaders = (headers: Record<string, string>) =>
      [(next: (request: never) => unknown) => (request: never) => {
        for (const [name, value] of Object.entries(headers)) (request as { header: Headers }).header.set(name, value);
        return next(request);
      }] as never;
    const protocols = new Map<string, Protocol>();
    for (const httpVersion of ["1.1", "2"] as const) {
      for (
        const [name, create] of Object.entries({ "gRPC-web": createGrpcWebTransport, Connect: createConnectTransport })
      ) {
        protocols.set(
          `${name} ${httpVersion}`,
          (headers) => create({ baseUrl, httpVersion, interceptors: withHeaders(headers) }),
        );
      }
    }
    protocols.set("gRPC", (headers) => createGrpcTransport({ baseUrl, interceptors: withHeaders(headers) }));
    try {
      await run({ protocols, limits, port, handled: () => handled, open: () => latch.resolve() });
    } finally {
      latch.resolve();
    }
  });
}

/** What a call ends in: "ok", or the reason of its refusal, which must say when to come again. */
async function endOf(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return "ok";
  } catch (error) {
    assert(error instanceof ConnectError);
    assertEquals(error.code, Code.ResourceExhausted, error.message);
    const [{ retryDelay } = {}] = error.findDetails(RetryInfoSchema);
    assert(retryDelay !== undefined && (retryDelay.nanos > 0 || retryDelay.seconds > 0n));
    return error.findDetails(ErrorInfoSchema)[0]!.reason;
  }
}

const selling = (client: Client<typeof InventoryService>, orderId = "") => endOf(client.sell({ orderId }));

Deno.test("calls under way: by every protocol one identity has its places, another its own, and an end frees one", async () => {
  await withLimits({ callsPerSecondMax: undefined, burstCallsMax: 0, callsMax: CALLS_MAX }, async (setting) => {
    const { protocols, handled, open, limits } = setting;
    const all = [...protocols.values()];
    const clientOf = (protocol: Protocol, as: string) => createClient(InventoryService, protocol({ "x-as": as }));
    const kept = [all[0]!, all.at(-1)!].map((protocol) => selling(clientOf(protocol, "greedy"), "latch"));
    await eventually(() => handled() === CALLS_MAX, "the calls that stay");
    for (const [name, protocol] of protocols) {
      assertEquals(await selling(clientOf(protocol, "greedy")), "CALLER_CALLS", name);
      assertEquals(handled(), CALLS_MAX, "no handler saw it");
      // Health is anybody's.
      await createClient(Health, protocol({ "x-as": "greedy" })).check({});
    }
    assertEquals(await selling(clientOf(all[0]!, "other")), "ok");
    open();
    assertEquals(await Promise.all(kept), ["ok", "ok"]);
    await eventually(() => limits.view.identities === 0, "all places are free");
    for (const [name, protocol] of protocols) assertEquals(await selling(clientOf(protocol, "greedy")), "ok", name);
    assertEquals(limits.view.refused, { ...limits.view.refused, rate: 0, calls: protocols.size });
  });
});

Deno.test("calls under way: of those that were sent in a row over HTTP/1 each frees its place when their connection goes", async () => {
  await withLimits({ callsPerSecondMax: undefined, burstCallsMax: 0, callsMax: CALLS_MAX }, async (setting) => {
    const { limits, port, handled } = setting;
    const peer = await RawPeer.http1(port);
    const body = '{"orderId":"latch"}';
    const fields = [
      "host: 127.0.0.1",
      "content-type: application/json",
      "x-as: greedy",
      `content-length: ${body.length}`,
    ];
    const request = `POST /${InventoryService.typeName}/Sell HTTP/1.1\r\n${fields.join("\r\n")}\r\n\r\n${body}`;
    peer.send(request.repeat(CALLS_MAX));
    await eventually(() => handled() === CALLS_MAX, "both");
    assertEquals(limits.view.identities, 1);
    peer.socket.resetAndDestroy();
    await eventually(() => limits.view.identities === 0, "free places");
  });
});

Deno.test("rate: by every protocol one identity's, another has its own, and who has none has none", async () => {
  await withLimits({ callsPerSecondMax: RATE_MAX, burstCallsMax: 0, callsMax: 100 }, async ({ protocols, limits }) => {
    for (const [name, protocol] of protocols) {
      const clientOf = (as?: string) =>
        createClient(InventoryService, protocol(as === undefined ? {} : { "x-as": as }));
      const greedy = clientOf(`greedy by ${name}`);
      for (let i = 0; i < RATE_MAX; i++) assertEquals(await selling(greedy), "ok", name);
      // At once: one after the other they may take as long on a busy machine as they are given for.
      const ends = await Promise.all(Array.from({ length: 50 }, () => selling(greedy)));
      assert(ends.includes("CALLER_RATE"), name);
      for (let i = 0; i < RATE_MAX; i++) assertEquals(await selling(clientOf(`other by ${name}`)), "ok", name);
      for (let i = 0; i < 3 * RATE_MAX; i++) assertEquals(await selling(clientOf()), "ok", name);
    }
    await eventually(() => limits.view.identities === 0, "all places are free");
  });
});

Deno.test("a late loop: by every protocol calls are shed before any handler, operators' and health are not", async () => {
  await withLimits({ callsPerSecondMax: undefined, burstCallsMax: 0, callsMax: 100 }, async (setting) => {
    const { protocols, limits, handled } = setting;
    for (let i = 0; i < 5; i++) limits.look(150, 250);
    for (const [name, protocol] of protocols) {
      const before = handled();
      for (const as of [undefined, "anna"]) {
        const client = createClient(InventoryService, protocol(as === undefined ? {} : { "x-as": as }));
        assertEquals(await selling(client), "OVERLOADED", name);
        assertEquals(handled(), before);
      }
      assertEquals(await selling(createClient(InventoryService, protocol({ "x-as": "operator 1" }))), "ok", name);
      // Without identities the method says whose call it is.
      assertEquals(await endOf(createClient(InventoryService, protocol({})).setInv({})), "ok", name);
      await createClient(Health, protocol({})).check({});
    }
    for (let i = 0; i < 100; i++) limits.look(0, 100);
    assertEquals(await selling(createClient(InventoryService, protocols.get("gRPC")!({}))), "ok");
  });
});
