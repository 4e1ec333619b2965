/**
 * Attacks by many connections, each of which keeps within the limits of one: as many as once blocked the service, and
 * beside them a good caller at another address that must go on being answered.
 */
import { assert, assertEquals } from "@std/assert";
import { Buffer } from "node:buffer";
import { attackTest, attackTests } from "../support/attack.ts";
import { flood, floodAgain } from "../support/flood.ts";
import { call, many, openCall, resets } from "../support/http2_calls.ts";
import { ERROR, FLAG, FRAME, frame, opening, PREFACE, uint32 } from "../support/http2_frames.ts";
import { grpcMessage, v1Path, varintField } from "../support/raw_call.ts";
import { said } from "../support/workers.ts";
import { eventually } from "../support/eventually.ts";

const ATTACKER = "127.0.0.9";
const ATTACKERS = [ATTACKER, "127.0.0.10", "127.0.0.11"];
const CHECK = "/grpc.health.v1.Health/Check";
const NO_WINDOW = Buffer.concat([PREFACE, frame(FRAME.settings, 0, 0, Buffer.concat([Buffer.of(0, 4), uint32(0)]))]);

/** Just fewer than what costs one connection its life. */
const RESETS = Buffer.concat([opening(), ...resets(CHECK, 990)]);

attackTest("200 connections reset 990 streams each", {}, async ({ port }) => {
  const { connected, closed } = await flood({
    port,
    connections: 200,
    address: ATTACKER,
    chunks: [RESETS],
    lastMs: 20_000,
  });
  assertEquals([connected, closed], [200, 200]);
});

attackTest("connections that reset their streams come anew each time they are cut", {}, async ({ port }) => {
  const chunks = [Buffer.concat([opening(), ...resets(CHECK, 3_000)])];
  const made = await floodAgain({ port, connections: 8, address: ATTACKER, chunks, lastMs: 0 }, 2_000);
  console.log(`    ${made} connections`);
  assert(made > 8);
});

attackTest("two workers, 400 connections reset 990 streams each: none of them is taken for hung", {
  workers: 2,
}, async (server) => {
  await flood({ port: server.port, connections: 400, address: ATTACKER, chunks: [RESETS], lastMs: 2_000 });
  assertEquals(said(server, "worker ended"), []);
});

attackTest("300 connections never take the answers of 100 calls each", {}, async ({ port }) => {
  const detail = grpcMessage(varintField(1, 1n));
  const calls = many(100, (i) => [
    openCall(v1Path("InvDetail"), 2 * i + 1),
    frame(FRAME.data, FLAG.endStream, 2 * i + 1, detail),
  ]).flat();
  const chunks = [Buffer.concat([NO_WINDOW, ...calls])];
  const { connected } = await flood({ port, connections: 300, address: ATTACKER, chunks, lastMs: 2_000 });
  assertEquals(connected, 300);
});

attackTest("60 connections open 100 calls each and send a byte of their message", {}, async ({ port }) => {
  const calls = many(100, (i) => [
    openCall(v1Path("Sell"), 2 * i + 1),
    frame(FRAME.data, 0, 2 * i + 1, Buffer.alloc(1)),
  ]).flat();
  const chunks = [Buffer.concat([opening(), ...calls])];
  const { connected } = await flood({ port, connections: 60, address: ATTACKER, chunks, lastMs: 4_000 });
  assertEquals(connected, 60);
});

attackTest("three addresses keep and renew all requests that they get", {
  // Measured: up to 1,145, and some 200 in clear. By a profile no single cause: handshakes are less than a tenth of the
  // server's time, garbage is 15 %, and errors that Deno 2.9.3 makes for each stream of a connection that was cut 11 %.
  securedMsMax: 2_000,
}, async ({ port }) => {
  // Each round opens 100 calls on a connection and ends them, so that there is always one more waiting to take their
  // place.
  const rounds = many(
    20,
    (round) =>
      Buffer.concat(
        many(100, (i) => openCall(v1Path("Sell"), 2 * (100 * round + i) + 1)).concat(
          many(100, (i) => frame(FRAME.data, FLAG.endStream, 2 * (100 * round + i) + 1, Buffer.alloc(5))),
        ),
      ),
  );
  const ends = await Promise.all(
    ATTACKERS.map((address) =>
      flood({ port, connections: 60, address, chunks: [opening(), ...rounds], lastMs: 1_000 })
    ),
  );
  assertEquals(ends.map(({ connected }) => connected), [60, 60, 60]);
});

attackTests("requests over HTTP/1.1 that do not end", {}, {
  async "20 connections pipeline 20,000 of them each"({ port }) {
    const request =
      `POST ${CHECK} HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}`;
    const chunks = [Buffer.from(request.repeat(20_000))];
    const { closed } = await flood({ port, connections: 20, address: ATTACKER, chunks, lastMs: 20_000 });
    assertEquals(closed, 20);
  },
  async "5 of 100 MB of chunk extensions"({ port }) {
    const header =
      `POST ${CHECK} HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n1;`;
    const extension = Buffer.alloc(1024 * 1024, "a");
    const chunks = [Buffer.from(header), ...many(100, () => extension)];
    const { closed } = await flood({ port, connections: 5, address: ATTACKER, chunks, lastMs: 20_000 });
    assertEquals(closed, 5);
  },
});

attackTest("three addresses send 250 bodies of 0.9 MB each over HTTP/1.1, and no end of them", {}, async ({ port }) => {
  const header = `POST ${
    v1Path("SellBatch")
  } HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 1000000\r\n\r\n`;
  const chunks = [Buffer.from(header), Buffer.alloc(900_000, " ")];
  const ends = await Promise.all(
    ATTACKERS.map((address) => flood({ port, connections: 250, address, chunks, lastMs: 10_000 })),
  );
  assertEquals(ends.map(({ connected }) => connected), [250, 250, 250]);
});

attackTest("who resets too much is refused, by name in the log, and served again later", {}, async (server) => {
  const { port } = server;
  await flood({ port, connections: 50, address: ATTACKER, chunks: [RESETS], lastMs: 20_000 });
  const refused = await flood({ port, connections: 1, address: ATTACKER, chunks: [opening()], lastMs: 20_000 });
  assertEquals(refused.closed, 1);
  await eventually(() => server.output.stderr.includes(`"limit":"resetsPerAddressMax"`), "a line of log");
  await eventually(
    async () => {
      const chunks = [Buffer.concat([opening(), call(CHECK, 1)])];
      return (await flood({ port, connections: 1, address: ATTACKER, chunks, lastMs: 200 })).closed === 0;
    },
    "served again",
    20_000,
  );
});

const [SPOOFER, PROXY] = ["127.0.0.9", "127.0.0.10"];

attackTest("who writes X-Forwarded-For himself is one address, and who attacks through a proxy is refused alone", {
  env: { TRUSTED_PROXIES: PROXY },
}, async (server) => {
  const { port } = server;
  const overLimit = (limit: string, address: string) => () =>
    server.output.stderr.includes(`"limit":"${limit}"`) && server.output.stderr.includes(`"address":"${address}"`);
  const flooding = (header: (i: number) => string) => [
    Buffer.concat([
      opening(),
      ...many(900, (i) =>
        Buffer.concat([
          openCall(CHECK, 2 * i + 1, [["x-forwarded-for", header(i)]]),
          frame(FRAME.reset, 0, 2 * i + 1, uint32(ERROR.cancel)),
        ])),
    ]),
  ];
  // Each call is of somebody else by its header, which may be of any form.
  const forms = (i: number) => ["::1", `203.0.113.${i}`, `${PROXY}, 10.1.${i}.1`, "a,".repeat(200), '"\\'.repeat(99)];
  const spoofed = flooding((i) => forms(i)[i % 5]!);
  const spoofing = await flood({ port, connections: 60, address: SPOOFER, chunks: spoofed, lastMs: 20_000 });
  assertEquals(spoofing, { connected: 60, closed: 60 });
  await eventually(overLimit("resetsPerAddressMax", SPOOFER), "its own address is over its share");
  // 60 connections of a proxy bring the resets of one caller, who is not the proxy.
  const isBarred = eventually(overLimit("resetsPerAddressMax", "203.0.113.200"), "the caller is refused");
  const chunks = flooding(() => "127.0.0.1, 203.0.113.200");
  const proxied = await flood({ port, connections: 60, address: PROXY, chunks, lastMs: 20_000, until: isBarred });
  await isBarred;
  assertEquals(proxied, { connected: 60, closed: 0 }, "the proxy's connections stay");
  assert(!server.output.stderr.includes(`"address":"${PROXY}"`), "the proxy itself is over no limit");
});
