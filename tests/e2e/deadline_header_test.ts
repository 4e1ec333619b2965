/**
 * Deadlines as callers may write them: longer than the server's own are cut, wrong ones are refused, and one that
 * passes ends the call whatever of its body has come. Nothing of it is said on the server's standard error.
 */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { Buffer } from "node:buffer";
import { gzipSync } from "node:zlib";
import postgres from "postgres";
import { callJson } from "../support/clients/json_fetch.ts";
import { takeLeases } from "../support/contention.ts";
import { ask, endOf } from "../support/http2_answers.ts";
import { bytesField, grpcMessage, rawGrpc, rawHttp1, v1Path, varintField } from "../support/raw_call.ts";
import { serverTest, type TestServer } from "../support/server.ts";
import { allRows } from "../support/all_rows.ts";
import { eventually } from "../support/eventually.ts";

const GOODS = 1;
const SELL_BYTES = bytesField(1, Buffer.concat([varintField(1, BigInt(GOODS)), varintField(2, 1n)]));
const DETAIL_BYTES = varintField(1, BigInt(GOODS));
const GRPC_MALFORMED = ["abc", "-1S", "1", "1x", "999999999H", "1.5S"];
const CONNECT_MALFORMED = ["abc", "-1", "1.5", "99999999999"];
/**
 * The largest that each protocol can write, those around the longest that a timer takes, and the server's own limit.
 */
const GRPC_LONG = ["99999999H", "99999999M", "99999999S", "2147484S", "2147483S", "99999999m", "10001m"];
const CONNECT_LONG = ["9999999999", "2147483648", "2147483647", "10001"];

type Send = (server: TestServer, method: "InvDetail" | "Sell", timeout: string) => Promise<string>;

/** How a call may be sent, each with its deadline. */
const GRPC: Readonly<Record<string, Send>> = {
  "gRPC": ({ url }, method, timeout) =>
    rawGrpc(url, { path: v1Path(method), headers: { "grpc-timeout": timeout }, body: grpcMessage(bytesOf(method)) }),
  "gRPC, packed": ({ url }, method, timeout) =>
    rawGrpc(url, {
      path: v1Path(method),
      headers: { "grpc-timeout": timeout, "grpc-encoding": "gzip" },
      body: grpcMessage(gzipSync(bytesOf(method)), { compressed: true }),
    }),
  "gRPC-web": ({ url }, method, timeout) => grpcWeb(url, method, timeout),
};
const CONNECT: Readonly<Record<string, Send>> = {
  "Connect": ({ url }, method, timeout) =>
    rawHttp1(url + v1Path(method), {
      headers: { "content-type": "application/proto", "connect-timeout-ms": timeout },
      body: new Uint8Array(bytesOf(method)),
    }),
  "Connect, packed": ({ url }, method, timeout) =>
    rawHttp1(url + v1Path(method), {
      headers: { "content-type": "application/proto", "content-encoding": "gzip", "connect-timeout-ms": timeout },
      body: new Uint8Array(gzipSync(bytesOf(method))),
    }),
};
const DONE: Readonly<Record<string, string>> = { "Connect": "200", "Connect, packed": "200" };

serverTest("deadlines that are long, wrong, or pass", {
  // Whoever calls may have a line; what a runtime or a library says by itself is at no level.
  env: { LOCK_WAIT_MS_MAX: "30000", REQUEST_TIMEOUT_MS_MAX: "10000", LOG_LEVEL: "warn" },
}, async (server, step) => {
  await callJson(server.url, "SetInv", JSON.stringify({ goodsId: GOODS, num: 10 }));
  const owner = postgres(server.databaseOwnerUrl, { max: 1 });
  const quiet = async (run: () => Promise<void>) => {
    // Votes that a starved machine has late have lines, too.
    const said = () => server.output.stderr.split("\n").filter((line) => !line.includes(`"votes":`));
    const saidBefore = said();
    const before = await allRows(owner);
    await run();
    assertEquals(await allRows(owner), before);
    assertEquals(said(), saidBefore);
  };
  try {
    for (
      const [senders, long, malformed] of [
        [GRPC, GRPC_LONG, GRPC_MALFORMED],
        [CONNECT, CONNECT_LONG, CONNECT_MALFORMED],
      ] as const
    ) {
      for (const [name, send] of Object.entries(senders)) {
        await step(`${name}: longer than the server's own are cut`, () =>
          quiet(async () => {
            for (const timeout of long) {
              assertEquals([timeout, await send(server, "InvDetail", timeout)], [timeout, DONE[name] ?? "OK"]);
            }
          }));
        await step(`${name}: what is no deadline is refused`, () =>
          quiet(async () => {
            for (const timeout of malformed) {
              const refused = name in DONE ? "400 INVALID_ARGUMENT" : "INVALID_ARGUMENT";
              assertEquals([timeout, await send(server, "Sell", timeout)], [timeout, refused]);
            }
          }));
        await step(`${name}: one that passes ends the call`, () =>
          quiet(async () => {
            await using leases = await takeLeases(GOODS);
            // On a busy machine that of the first may pass before it has asked for anything.
            await eventually(async () => {
              const answer = await send(server, "Sell", name in DONE ? "300" : "300m");
              assertEquals(answer, name in DONE ? "504 DEADLINE_EXCEEDED" : "DEADLINE_EXCEEDED");
              return leases.isAskedFor();
            }, "a sale came to wait for its goods");
          }));
      }
    }
    for (const [name, header] of Object.entries(UNFINISHED)) {
      await step(`${name}: one that passes ends a body that is not finished`, () =>
        quiet(async () => {
          const answer = await ask(server.url, v1Path("Sell"), {
            headers: header,
            body: [grpcMessage(SELL_BYTES, { length: 100 })],
            then: "wait",
          });
          const { body, rstCode } = answer;
          const end = [body, ...endOf(answer)].join("\n");
          // Not the words of the server's own limit, which would come later.
          assertMatch(end, /the( |%20)operation\1timed\1out/);
          if (name.startsWith("gRPC")) assertMatch(end, /grpc-status: ?4/);
          else assertStringIncludes(body, `"code":"deadline_exceeded"`);
          assertEquals(rstCode, 0);
        }));
    }
    await eventually(async () => {
      const [row] = await owner<{ active: number }[]>`
        select count(*)::int as active from pg_stat_activity
        where datname = current_database() and application_name = 'holdfast' and state <> 'idle'`;
      return row!.active === 0;
    }, "the program's statements have ended");
  } finally {
    await owner.end();
  }
});

const UNFINISHED: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "gRPC": { "grpc-timeout": "300m" },
  "gRPC, packed": { "grpc-timeout": "300m", "grpc-encoding": "gzip" },
  "gRPC-web": { "content-type": "application/grpc-web+proto", "grpc-timeout": "300m" },
  "Connect": { "content-type": "application/json", "connect-timeout-ms": "300" },
};

function bytesOf(method: "InvDetail" | "Sell"): Uint8Array {
  return method === "Sell" ? SELL_BYTES : DETAIL_BYTES;
}

/** The code of a gRPC-web call, which is in the last part of the answer's body. */
async function grpcWeb(url: string, method: string, timeout: string): Promise<string> {
  const response = await fetch(url + v1Path(method), {
    method: "POST",
    headers: { "content-type": "application/grpc-web+proto", "grpc-timeout": timeout },
    body: new Uint8Array(grpcMessage(method === "Sell" ? SELL_BYTES : DETAIL_BYTES)),
  });
  const text = await response.text();
  const status = /grpc-status: ?(\d+)/.exec(text)?.[1] ?? response.headers.get("grpc-status");
  return { "0": "OK", "3": "INVALID_ARGUMENT", "4": "DEADLINE_EXCEEDED" }[status ?? ""] ?? `${response.status} ${text}`;
}
