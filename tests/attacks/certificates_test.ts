/**
 * Certificates of clients, sent to the real program: those that prove nothing are answered as if there were none, in a
 * full handshake and in one that resumes a session, before and after the authorities were replaced.
 */
import { assert, assertEquals } from "@std/assert";
import http2 from "node:http2";
import https from "node:https";
import type { AddressInfo } from "node:net";
import tls from "node:tls";
import { addTestKey } from "../support/api_keys.ts";
import { createTestDatabase, ownerOf } from "../support/database.ts";
import { resumingClient } from "../support/resuming_client.ts";
import { runServer, startServer, type TestServer } from "../support/server.ts";
import { BETWEEN, CLIENT_AUTHORITY, CLIENT_KEY, CLIENTS, OTHER_AUTHORITY } from "../support/tls/client_certificates.ts";
import { KEY } from "../support/tls/pems.ts";
import { TLS_CERTIFICATE, TLS_CERTIFICATE_FILE, TLS_KEY_FILE } from "../support/tls_server.ts";
import { logLines } from "../support/workers.ts";
import { eventually } from "../support/eventually.ts";

const PATH = "/inventory.v1.InventoryService/InvDetail";
const TAKEN_UP = "a renewed certificate is in use for new connections";
const RIGHTS = "spiffe://shop/orders=seller,dns:ops.shop=operator,dns:pos.shop=seller,cn:till=reader";

/** A file of authorities of a test's own, and how a server is started on it. */
async function authorities(text: string) {
  const dir = await Deno.makeTempDir();
  const path = `${dir}/clients.pem`;
  const write = async (text: string) => {
    await Deno.writeTextFile(`${path}.new`, text);
    await Deno.rename(`${path}.new`, path);
  };
  await write(text);
  const env = {
    ...{ TLS_CERT_FILE: TLS_CERTIFICATE_FILE, TLS_KEY_FILE, TLS_CLIENT_CA_FILE: path, MTLS_RIGHTS: RIGHTS },
    AUTH: "keys,mtls",
  };
  const read = [TLS_CERTIFICATE_FILE, TLS_KEY_FILE, path].join(",");
  return {
    write,
    options: { env, ca: TLS_CERTIFICATE, flags: (flags: readonly string[]) => [...flags, `--allow-read=${read}`] },
    [Symbol.asyncDispose]: () => Deno.remove(dir, { recursive: true }),
  };
}

Deno.test("a certificate counts by its authority, its time and its name, and a resumed session makes none better", async () => {
  await using files = await authorities(CLIENT_AUTHORITY);
  await using database = await createTestDatabase();
  await using owner = ownerOf(database.ownerUrl);
  const { headers } = await addTestKey(owner.sql, { name: "by key", rights: ["operator"] });
  await using server = await startServer({ ...files.options, database });
  const wrong = {
    authorization: `${headers.authorization.slice(0, -1)}${headers.authorization.endsWith("a") ? "b" : "a"}`,
  };
  const good: (keyof typeof CLIENTS)[] = ["orders", "ops", "pos", "till", "upperCase"];

  for (const [name, certificate] of Object.entries(CLIENTS)) {
    const expected = (good as string[]).includes(name) ? 404 : 401;
    assertEquals(await bothStatuses(server, certificate), [expected, expected], name);
    // Whatever the certificate is, a call that brings a key is judged by that.
    if (["ofItself", "orders"].includes(name)) {
      assertEquals(await bothStatuses(server, certificate, headers), [404, 404], name);
      assertEquals(await bothStatuses(server, certificate, wrong), [401, 401], name);
    }
  }
  assertEquals(await bothStatuses(server, CLIENTS.deep + BETWEEN), [404, 404], "by one between");
  assertEquals(await bothStatuses(server, CLIENTS.expired + CLIENTS.orders), [401, 401], "a good one behind it");
  assertEquals(await bothStatuses(server, undefined), [401, 401]);
  assertEquals(await bothStatuses(server, undefined, headers), [404, 404]);
  const untrusted = /"reason":"untrusted"[^\n]*"who":"spiffe:\/\/shop\/orders"[^\n]*"msg":"a call was refused"/;
  await eventually(() => untrusted.test(server.output.stderr), "the log says who was refused");

  const client = (cert: string) =>
    resumingClient({ port: server.port, path: PATH, ca: TLS_CERTIFICATE, cert, key: CLIENT_KEY });
  await using honest = client(CLIENTS.orders);
  await using deep = client(CLIENTS.deep + BETWEEN);
  await using forger = client(CLIENTS.ofItself);
  await using late = client(CLIENTS.expired);
  await using foreign = client(CLIENTS.foreign);
  // Of the authority, and for another purpose: only TLS looks at that.
  await using misused = client(CLIENTS.forServers);
  const statuses = [[honest, 404], [deep, 404], [forger, 401], [late, 401], [foreign, 401], [misused, 401]] as const;
  for (const [each, status] of statuses) {
    assertEquals([await each.call(), await each.call()], [`anew ${status}`, `resumed ${status}`]);
  }

  // An authority is taken back: nobody whom it has signed is known any more, on whatever connection.
  const kept = http2.connect(server.url, { ca: TLS_CERTIFICATE, cert: CLIENTS.orders, key: CLIENT_KEY });
  kept.on("error", () => {});
  assertEquals(await over(kept), 404);
  await replace(OTHER_AUTHORITY, 1);
  assertEquals(await over(kept), 401);
  assertEquals(await bothStatuses(server, CLIENTS.orders), [401, 401]);
  assertEquals([await honest.call(), await deep.call()], ["resumed 401", "resumed 401"]);
  assertEquals(await bothStatuses(server, CLIENTS.foreign), [404, 404]);

  await replace(OTHER_AUTHORITY + CLIENT_AUTHORITY, 2);
  assertEquals(await over(kept), 404);
  assertEquals([await honest.call(), await deep.call(), await forger.call()], [
    ...["resumed 404", "resumed 404"],
    "resumed 401",
  ]);
  kept.destroy();

  // What can't be used is not taken up.
  await files.write(CLIENTS.orders);
  server.signal("SIGHUP");
  const refused = "the renewed certificate can't be used, and the one before it stays in use";
  await eventually(() => logLines(server).some(({ msg }) => msg === refused), "it is said");
  assertEquals(await bothStatuses(server, CLIENTS.orders), [404, 404]);

  async function replace(text: string, times: number): Promise<void> {
    await files.write(text);
    server.signal("SIGHUP");
    await eventually(() => logLines(server).filter(({ msg }) => msg === TAKEN_UP).length === times, "it is in use");
  }
});

Deno.test("control: the runtime alone says of a resumed session that any certificate is verified", async () => {
  const seen: string[] = [];
  const options = {
    cert: TLS_CERTIFICATE,
    key: KEY,
    ca: CLIENT_AUTHORITY,
    requestCert: true,
    rejectUnauthorized: false,
  };
  const server = tls.createServer(options, (socket) => {
    seen.push(`${socket.isSessionReused() ? "resumed" : "anew"}: ${socket.authorized ? "verified" : "not verified"}`);
    socket.on("error", () => {});
    socket.resume().end("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  {
    const itself = { ca: TLS_CERTIFICATE, cert: CLIENTS.ofItself, key: CLIENT_KEY };
    await using forger = resumingClient({ port, path: "/", ...itself });
    assertEquals([await forger.call(), await forger.call()], ["anew 200", "resumed 200"]);
  }
  // When this fails, the runtime has become better: see client_certificates.ts.
  assertEquals(seen, ["anew: not verified", "resumed: verified"]);
  await new Promise((resolve) => server.close(resolve));
});

Deno.test("a file of authorities that has none, or what is none, ends the start under its setting's name", async () => {
  await using files = await authorities(CLIENTS.orders);
  const { code, stderr } = await runServer(files.options);
  assertEquals(code, 78);
  assert(
    stderr.includes("\n  TLS_CLIENT_CA_FILE: certificate 1 of 1 is none of an authority (CA:TRUE), expected"),
    stderr,
  );
});

type Headers = Readonly<Record<string, string>>;

/** The status over HTTP/2 and over HTTP/1.1: 404 where the call was let through, as there is no such goods. */
async function bothStatuses(server: TestServer, cert: string | undefined, headers: Headers = {}): Promise<number[]> {
  const tls = { ca: TLS_CERTIFICATE, ...(cert === undefined ? {} : { cert, key: CLIENT_KEY }) };
  const session = http2.connect(server.url, tls);
  session.on("error", () => {});
  const byHttp2 = await over(session, headers);
  session.destroy();
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const options = { ...tls, method: "POST", agent: false, headers: { "content-type": "application/json", ...headers } };
  const request = https.request(server.url + PATH, options, (response) => {
    response.resume().on("end", () => resolve(response.statusCode!));
  });
  request.on("error", reject);
  request.end('{"goodsId":1}');
  return [byHttp2, await promise];
}

function over(session: http2.ClientHttp2Session, headers: Headers = {}): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const fields = { ":method": "POST", ":path": PATH, "content-type": "application/json", ...headers };
  const stream = session.request(fields, { endStream: false });
  stream.on("response", (answer) => resolve(Number(answer[":status"])));
  stream.on("error", reject);
  stream.on("close", () => reject(new Error(`closed with ${stream.rstCode}`)));
  stream.resume().end('{"goodsId":1}');
  return promise;
}
