/**
 * Who calls is asked of every call, by whatever protocol and path it comes: before its message is read, in one text,
 * whatever there is at the path. Nothing that was refused has moved anything.
 */
import { assert, assertEquals, assertLess } from "@std/assert";
import { Buffer } from "node:buffer";
import { newKey } from "../../src/auth/keys/key_text.ts";
import { LISTENER_LIMITS } from "../../src/transport/limits.ts";
import { addTestKey } from "../support/api_keys.ts";
import { createTestDatabase, ownerOf } from "../support/database.ts";
import { connectGrpc } from "../support/grpc_session.ts";
import { eachVersion, type VersionAnswer } from "../support/http_versions.ts";
import { type KeyedApp, startKeyedApp } from "../support/keyed_app.ts";
import { grpcMessage } from "../support/raw_call.ts";

const SELL = "/inventory.v1.InventoryService/Sell";
const DETAIL = "/inventory.v1.InventoryService/InvDetail";
const WATCH = "/grpc.health.v1.Health/Watch";
const REFLECTION = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";
const PAGE = "https://shop.example";
const TEXT = "the call has no credentials that are valid here";
const MISSING = "the right seller is missing";

/** How a call of Sell is sent, and where its answer has code and text. */
interface Spoken {
  readonly contentType: string;
  readonly body: Uint8Array;
  said(answer: VersionAnswer): readonly [code: string, text: string];
}

const JSON_BODY = Buffer.from(JSON.stringify({ goodsInfo: [{ goodsId: 1, num: 1 }] }));
/** The same, as protobuf. */
const BINARY_BODY = Buffer.from([0x0a, 0x04, 0x08, 0x01, 0x10, 0x01]);
const CODES: Readonly<Record<string, string>> = { "0": "ok", "7": "permission_denied", "16": "unauthenticated" };

function fromFields(text: string): readonly [string, string] {
  const code = /grpc-status: ?(\d+)/i.exec(text)?.[1] ?? "none";
  return [CODES[code] ?? code, decodeURIComponent(/grpc-message: ?([^\r\n]*)/i.exec(text)?.[1] ?? "")];
}
const inJson = (value: { code?: string; message?: string }) => [value.code ?? "ok", value.message ?? ""] as const;
const inTrailers = ({ body }: VersionAnswer) => fromFields(body.toString("latin1"));

const SPOKEN: Readonly<Record<string, Spoken>> = {
  "Connect, JSON": {
    contentType: "application/json",
    body: JSON_BODY,
    said: ({ body }) => inJson(JSON.parse(body.toString())),
  },
  "Connect, protobuf": {
    contentType: "application/proto",
    body: BINARY_BODY,
    said: ({ status, body }) => status === 200 ? ["ok", ""] : inJson(JSON.parse(body.toString())),
  },
  "gRPC-web": { contentType: "application/grpc-web+proto", body: grpcMessage(BINARY_BODY), said: inTrailers },
  "gRPC-web, JSON": { contentType: "application/grpc-web+json", body: grpcMessage(JSON_BODY), said: inTrailers },
  "gRPC-web, text": {
    contentType: "application/grpc-web-text",
    body: Buffer.from(grpcMessage(BINARY_BODY).toString("base64")),
    // Parts that are padded, one behind the other.
    said: ({ body }) => fromFields((body.toString().match(/.{4}/g) ?? []).map(atob).join("")),
  },
};

/** An app with stock, and callers of three kinds. */
async function open() {
  const database = await createTestDatabase();
  const owner = ownerOf(database.ownerUrl);
  const add = (name: string, ...rights: string[]) => addTestKey(owner.sql, { name, rights });
  const keys = {
    seller: await add("s", "seller"),
    reader: await add("r", "reader"),
    operator: await add("o", "operator"),
  };
  const over = await add("old", "seller");
  await owner.sql`update api_keys set revoked_at = now() where key_id = ${over.id}`;
  const ended = await add("ended", "seller");
  await owner.sql`update api_keys set expires_at = now() where key_id = ${ended.id}`;
  const app = await startKeyedApp(database, { CORS_ORIGINS: PAGE });
  const movements = async () => (await owner.sql`select count(*)::int as n from movements`)[0]!.n as number;
  const set = { goodsId: 1, num: 1_000 };
  assertEquals((await app.post("inventory.v1.InventoryService/SetInv", set, keys.operator.headers)).status, 200);
  return {
    app,
    keys,
    over,
    ended,
    movements,
    [Symbol.asyncDispose]: async () => {
      await app[Symbol.asyncDispose]();
      await owner[Symbol.asyncDispose]();
      await database.drop();
    },
  };
}

Deno.test("every protocol asks for the same, says the same, and lets through the same", async (t) => {
  await using bench = await open();
  const { app, keys, movements } = bench;
  const before = await movements();
  let sold = 0;
  await eachVersion(app.url, async (version, { request }) => {
    for (const [name, { contentType, body, said }] of Object.entries(SPOKEN)) {
      await t.step(`${version}: ${name}`, async () => {
        const ask = (headers: Record<string, string>, sent = body) =>
          request("POST", SELL, { "content-type": contentType, ...headers }, [sent]);
        const nobody = await ask({ origin: PAGE });
        assertEquals(said(nobody), ["unauthenticated", TEXT]);
        // A page reads it as any other answer.
        assertEquals(nobody.headers["access-control-allow-origin"], PAGE);
        assert(nobody.headers["x-request-id"]);
        const isStatus = name.startsWith("Connect");
        assertEquals(
          [nobody.status, nobody.headers["www-authenticate"]],
          isStatus ? [401, "Bearer"] : [200, undefined],
        );
        // Not one byte of a message is looked at.
        assertEquals(said(await ask({}, Buffer.from('{"no": such, \xff'))), ["unauthenticated", TEXT]);
        assertEquals(said(await ask(keys.reader.headers)), ["permission_denied", MISSING]);
        assertEquals((await ask(keys.reader.headers)).headers["www-authenticate"], undefined);
        assertEquals(await movements(), before + sold);
        assertEquals(said(await ask({ ...keys.seller.headers, origin: PAGE })), ["ok", ""]);
        sold++;
      });
    }
    await t.step(`${version}: Connect's GET, and what is no call`, async () => {
      const get = (path: string, headers = {}) => request("GET", path, headers);
      const query = `?connect=v1&encoding=json&message=${encodeURIComponent('{"goodsId":1}')}`;
      // By what is asked nobody can see what may be called so, and what is there at all.
      const asked = await Promise.all(
        [DETAIL, SELL, "/inventory.v1.InventoryService/Steal"].map((path) => get(path + query)),
      );
      for (const { status, body } of asked) assertEquals([status, JSON.parse(body.toString()).message], [401, TEXT]);
      assertEquals(new Set(asked.map(({ body }) => body.toString())).size, 1);
      assertEquals((await get(DETAIL + query, keys.reader.headers)).status, 200);
      for (const path of [SELL, DETAIL, "/metrics", "/inventory.v1.InventoryService/Steal", "/favicon.ico"]) {
        const { status, body, headers } = await get(path);
        assertEquals([status, body.toString(), headers["www-authenticate"]], [401, `${TEXT}\n`, "Bearer"], path);
      }
      // The page has no data of its own: it asks for a key.
      const page = await get("/");
      assertEquals([page.status, page.headers["content-type"]], [200, "text/html; charset=utf-8"]);
      const probes = await Promise.all(["/readyz", "/healthz", "/livez"].map((path) => get(path)));
      assertEquals(probes.map(({ status }) => status), [200, 200, 200]);
      const preflight = await request("OPTIONS", SELL, {
        origin: PAGE,
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization,content-type",
      });
      assertEquals(preflight.status, 204);
      assert(preflight.headers["access-control-allow-headers"]?.includes("authorization"));
      assertEquals(preflight.headers["access-control-allow-credentials"], undefined);
    });
  });
  await t.step("gRPC: the short path, Connect's handler, streams, reflection and health", async () => {
    await using session = connectGrpc(app.url);
    // Packed messages go to Connect's handler.
    const packed = { "grpc-encoding": "gzip" };
    for (const more of [{}, packed, { "grpc-timeout": "5S" }]) {
      const nobody = await session.call(SELL, more, BINARY_BODY);
      assertEquals([nobody.code, nobody.message, nobody.headers["www-authenticate"]], [16, TEXT, undefined]);
      const reader = await session.call(SELL, { ...more, ...keys.reader.headers }, BINARY_BODY);
      assertEquals([reader.code, reader.message], [7, MISSING]);
      assertEquals((await session.call(SELL, { ...more, ...keys.seller.headers }, BINARY_BODY)).code, 0);
      sold++;
    }
    assertEquals(await session.open(REFLECTION, keys.seller.headers).ended.then(({ code }) => code), 7);
    assertEquals(await session.open(REFLECTION).ended.then(({ code }) => code), 16);
    // What balancers of AWS ask for, and nothing like it.
    const asked = ["/AWS.ALB/healthcheck", "/AWS.ALB/health", "/AWS.ALB/healthcheck/"];
    const codes = await Promise.all(asked.map((path) => session.call(path, {}, BINARY_BODY).then(({ code }) => code)));
    assertEquals(codes, [12, 16, 16]);
    const watch = session.open(WATCH, { authorization: "Bearer nobody" });
    watch.endRequests();
    assertEquals(await watch.begun, "answer");
    watch.leave();
    assertEquals(await movements(), before + sold);
  });
});

Deno.test("whatever is wrong with credentials has one answer to the caller, and its reason in one place only", async () => {
  await using bench = await open();
  const { app, keys, over, ended } = bench;
  const { authorization } = keys.operator.headers;
  const stranger = newKey();
  const flipped = authorization.slice(0, -1) + (authorization.endsWith("0") ? "1" : "0");
  const cases: readonly (readonly [authorization: string | undefined, reason: string])[] = [
    [undefined, "missing"],
    ["", "malformed"],
    ["Bearer", "malformed"],
    ["Basic aG9sZGZhc3Q6aGY=", "malformed"],
    [authorization.replace("Bearer ", ""), "malformed"],
    [`${authorization}, ${authorization}`, "malformed"],
    [`${authorization} x`, "malformed"],
    [`Bearer ${"a".repeat(9_000)}`, "malformed"],
    ["Bearer hf_", "malformed"],
    ["Bearer eyJhbGciOiJub25lIn0.e30.", "unknown"],
    [`Bearer ${stranger.key}`, "unknown"],
    [flipped, "wrong_secret"],
    [over.headers.authorization, "revoked"],
    [ended.headers.authorization, "expired"],
  ];
  const answers = new Set<string>();
  for (const [given, reason] of cases) {
    const before = app.warnings.length;
    const answer = await app.post(DETAIL.slice(1), { goodsId: 1 }, given === undefined ? {} : { authorization: given });
    const { status, text, headers } = answer;
    answers.add(`${status} ${headers.get("www-authenticate")} ${headers.get("content-length")} ${text}`);
    const [line, ...more] = app.warnings.slice(before).filter(({ message }) => message === "a call was refused");
    assertEquals([line?.reason, more.length], [reason, 0], given?.slice(0, 40));
    assertEquals([line?.method, line?.address], [DETAIL.slice(1), "127.0.0.1"]);
    assertEquals(line?.requestId, headers.get("x-request-id"));
  }
  assertEquals(answers.size, 1, [...answers].join("\n"));
  // Another spelling of the scheme is a good one (RFC 9110, section 11.1).
  for (const scheme of ["bearer", "BEARER", "Bearer  "]) {
    const given = authorization.replace("Bearer", scheme);
    assertEquals((await app.post(DETAIL.slice(1), { goodsId: 1 }, { authorization: given })).status, 200, scheme);
  }
  const said = JSON.stringify(app.warnings);
  for (const { key } of [keys.operator, over, ended, stranger]) {
    assert(!said.includes(key.slice(16)), "a secret in the log");
  }
});

Deno.test("a flood of refused calls has few lines, which say how many there were, and its connection goes on", async () => {
  await using bench = await open();
  const { app } = bench;
  // More than a connection may have reset; their messages never end.
  const calls = LISTENER_LIMITS.resetsMax + 200;
  const beganAt = performance.now();
  await using session = connectGrpc(app.url);
  for (let sent = 0; sent < calls; sent += 50) {
    const ends = await Promise.all(Array.from({ length: 50 }, () => session.open(SELL).ended));
    assertEquals(ends.filter(({ code }) => code !== 16), []);
  }
  const lines = auditLines(app);
  // Twenty at once and one a second, however long it takes here.
  assertLess(lines.length, 22 + (performance.now() - beganAt) / 1000);
  const unlogged = lines.reduce((sum, { unloggedBefore = 0 }) => sum + (unloggedBefore as number), 0);
  assert(lines.length + unlogged <= calls, `${lines.length} lines and ${unlogged}`);
});

function auditLines({ warnings }: KeyedApp) {
  return warnings.filter(({ message }) => message === "a call was refused");
}
