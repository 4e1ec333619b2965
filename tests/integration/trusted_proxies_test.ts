/**
 * Callers behind a proxy, over the wire: each has the limits of its own address, the proxy has none, and who writes the
 * header himself gains nothing. The proxy and others are different loopback addresses here.
 */
import { assert, assertEquals } from "@std/assert";
import { Buffer } from "node:buffer";
import { ipNetwork } from "../../src/base/ip_address.ts";
import { createRpcHandler } from "../../src/rpc/router.ts";
import { Health } from "../../src/gen/health/v1/health_pb.ts";
import { callerAddress } from "../../src/transport/addresses.ts";
import type { ListenerLimits } from "../../src/transport/limits.ts";
import type { TrustedProxiesRules } from "../../src/transport/trusted_proxies.ts";
import { eachVersion } from "../support/http_versions.ts";
import { openCall } from "../support/http2_calls.ts";
import { ERROR, FLAG, FRAME, frame, PREFACE, uint32 } from "../support/http2_frames.ts";
import { CHECK, withListener } from "../support/listening.ts";
import { RawPeer } from "../support/raw_peer.ts";
import { eventually } from "../support/eventually.ts";
import { SILENT } from "../support/silent_log.ts";

const PROXY = "127.0.0.9";
const OTHER = "127.0.0.1";
const [ALICE, BOB] = ["203.0.113.5", "2001:db8:1:2::4"];
const trusting = (address: string, header: TrustedProxiesRules["header"] = "x-forwarded-for") => ({
  networks: [ipNetwork(address)!],
  header,
});

/** A call that stays open, as its message does not come. */
const begun = (stream: number, from: string) => openCall(CHECK, stream, [["x-forwarded-for", from]]);
/** A whole call. */
const whole = (stream: number, from: string) =>
  Buffer.concat([begun(stream, from), frame(FRAME.data, FLAG.endStream, stream, Buffer.alloc(5))]);

const answered = (peer: RawPeer, stream: number) =>
  peer.until(() => peer.got(FRAME.headers, FLAG.endStream, stream), `an answer on ${stream}`);
const refused = (peer: RawPeer, stream: number) =>
  peer.until(() => peer.got(FRAME.reset, 0, stream), `a refusal on ${stream}`);

Deno.test("handlers see the caller behind a proxy, by every protocol, and what is forwarded is never loopback", async () => {
  const seen: string[] = [];
  const handler = createRpcHandler({
    log: SILENT,
    routes: (router) =>
      router.service(Health, {
        check(_request, { values }) {
          seen.push(callerAddress(values));
          return {};
        },
      }),
  });
  const grpc = Buffer.alloc(5);
  const forms = {
    "application/json": Buffer.from("{}"),
    "application/proto": Buffer.alloc(0),
    "application/grpc+proto": grpc,
    "application/grpc-web+proto": grpc,
  };
  for (
    const [rules, fields, address] of [
      [trusting(OTHER), { "x-forwarded-for": `127.0.0.1, ${ALICE}` }, ALICE],
      [trusting(OTHER), { "x-forwarded-for": BOB, forwarded: "for=127.0.0.1" }, "2001:db8:1:2::/64"],
      [trusting(OTHER, "forwarded"), { forwarded: `for="[${BOB}]:9"`, "x-forwarded-for": ALICE }, "2001:db8:1:2::/64"],
      // What the caller sent, and a line of the proxy's own behind it, as HAProxy adds one.
      [trusting(OTHER), { "x-forwarded-for": ["127.0.0.1", ALICE] }, ALICE],
      [trusting(OTHER, "forwarded"), { forwarded: ["for=::1", `for=${ALICE}`] }, ALICE],
      [trusting(OTHER), {}, "forwarded 127.0.0.1"],
      [trusting(OTHER), { "x-forwarded-for": `${"a".repeat(8_000)},` }, "forwarded 127.0.0.1"],
      [trusting(OTHER), { "x-forwarded-for": `${",".repeat(8_000)}${ALICE}` }, ALICE],
      [trusting(PROXY), { "x-forwarded-for": ALICE }, "forwarded 127.0.0.1"],
      [trusting(PROXY), {}, "127.0.0.1"],
    ] as [TrustedProxiesRules, Record<string, string | string[]>, string][]
  ) {
    await withListener({ handler, proxies: rules }, async ({ listener }) => {
      await eachVersion(listener.url, async (version, { request }) => {
        for (const [type, body] of Object.entries(forms)) {
          seen.length = 0;
          const { status } = await request("POST", CHECK, { "content-type": type, ...fields }, [body]);
          assertEquals([status, ...seen], [200, address], `${version} ${type} ${JSON.stringify(fields)}`);
        }
      });
    });
  }
});

Deno.test("requests and connections: each caller behind a proxy has its share, and the proxy all connections", async () => {
  const limits = { sweepMs: 20, requestsPerAddressMax: 2, connectionsPerAddressMax: 2 };
  await withListener({ proxies: trusting(PROXY), limits }, async ({ listener: { port }, logged }) => {
    const peers: RawPeer[] = [];
    for (let i = 0; i < 4; i++) peers.push(await RawPeer.http2(port, { address: PROXY }));
    const [first, second, third] = peers as [RawPeer, RawPeer, RawPeer];
    first.send(begun(1, ALICE));
    second.send(begun(1, `1.2.3.4, ${ALICE}`));
    second.send(whole(3, BOB));
    await answered(second, 3);
    // Over another connection, and whatever stands in front.
    third.send(whole(1, `${BOB}, ${ALICE}`));
    await refused(third, 1);
    assertEquals(third.errorCodes(FRAME.reset), [ERROR.refusedStream]);
    for (const stream of [3, 5, 7]) third.send(begun(stream, BOB));
    await refused(third, 7);
    await eventually(
      () =>
        logged.some(({ limit, address }) => limit === "requestsPerAddressMax" && address === ALICE) ||
        logged.some(({ limit, address }) => limit === "requestsPerAddressMax" && address === "2001:db8:1:2::/64"),
      "a line",
    );
    // An end frees the place.
    first.send(frame(FRAME.reset, 0, 1, uint32(ERROR.cancel)));
    let stream = 7;
    await eventually(async () => {
      stream += 2;
      third.send(whole(stream, ALICE));
      await third.until(() => third.got(FRAME.headers, 0, stream) || third.got(FRAME.reset, 0, stream), "an end");
      return third.got(FRAME.headers, 0, stream);
    }, "a free place");
    for (const peer of peers) await peer.leave();
  });
});

Deno.test("who is no proxy of ours gains nothing by the header: it has the share of its own address", async () => {
  const limits = { sweepMs: 20, requestsPerAddressMax: 2 };
  await withListener({ proxies: trusting(PROXY), limits }, async ({ listener: { port } }) => {
    const spoofer = await RawPeer.http2(port, { address: OTHER });
    for (const [i, from] of [ALICE, BOB, "198.51.100.1"].entries()) spoofer.send(begun(2 * i + 1, from));
    await refused(spoofer, 5);
    assert(!spoofer.got(FRAME.reset, 0, 1) && !spoofer.got(FRAME.reset, 0, 3));
    await spoofer.leave();
  });
});

const RESETS: Readonly<Record<string, Partial<ListenerLimits>>> = {
  resetsPerAddressMax: { resetsPerAddressMax: 30 },
  resetsTotalMax: { resetsTotalMax: 30 },
};

for (const [limit, more] of Object.entries(RESETS)) {
  Deno.test(`${limit}: who passes it through a proxy is refused for a while, and nobody else on that connection`, async () => {
    const limits = { sweepMs: 20, resetsMax: 10, resetWindowMs: 3000, ...more };
    await withListener({ proxies: trusting(PROXY), limits }, async ({ listener: { port }, logged }) => {
      const peer = await RawPeer.http2(port, { address: PROXY });
      let stream = 1;
      for (let i = 0; i < 60; i++, stream += 2) {
        peer.send(Buffer.concat([begun(stream, ALICE), frame(FRAME.reset, 0, stream, uint32(ERROR.cancel))]));
      }
      await eventually(
        () => logged.some(({ limit: passed, address }) => passed === limit && address === ALICE),
        "a line",
      );
      const own = stream;
      peer.send(Buffer.concat([whole(own, ALICE), whole(own + 2, BOB)]));
      await answered(peer, own + 2);
      await refused(peer, own);
      stream = own + 2;
      await eventually(async () => {
        stream += 2;
        peer.send(whole(stream, ALICE));
        await peer.until(() => peer.got(FRAME.headers, 0, stream) || peer.got(FRAME.reset, 0, stream), "an end");
        return peer.got(FRAME.headers, 0, stream);
      }, "the time is over");
      await peer.leave();
    });
  });
}

Deno.test("answers that are not taken: a proxy's count for its connections alone", async () => {
  // The answer of a Check is its prefix and two bytes.
  const limits = { sweepMs: 20, unreadPerAddressBytesMax: 10 };
  await withListener({ proxies: trusting(PROXY), limits }, async ({ listener: { port }, open }) => {
    open();
    const noWindow = frame(FRAME.settings, 0, 0, Buffer.concat([Buffer.of(0, 4), uint32(0)]));
    const start = Buffer.concat([PREFACE, noWindow]);
    const answers: number[] = [];
    for (const address of [PROXY, PROXY, OTHER, OTHER]) {
      const peer = await RawPeer.http2(port, { start, address });
      peer.send(whole(1, ALICE));
      await peer.until(() => peer.got(FRAME.headers, 0, 1) || peer.got(FRAME.reset, 0, 1), "an answer or its end");
      answers.push(peer.count(FRAME.headers));
      // Left to the listener, so that what was not taken stays.
    }
    assertEquals(answers, [1, 1, 1, 0]);
  });
});
