/**
 * The files of the certificate: what can't serve is found before the start, and what was renewed is taken up without
 * one.
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import http2 from "node:http2";
import tls from "node:tls";
import { readTlsFiles } from "../../src/tls/files.ts";
import { runServer, type ServerOptions, startServer, type TestServer } from "../support/server.ts";
import * as pem from "../support/tls/pems.ts";
import { logLines, pidOf } from "../support/workers.ts";
import { eventually } from "../support/eventually.ts";

const EXIT_UNUSABLE = 78;
const UNUSABLE = "the renewed certificate can't be used, and the one before it stays in use";
/** A line of each key: none of them may be shown. */
const SECRETS = [pem.KEY, pem.RENEWED_KEY, pem.ENCRYPTED_KEY].map((key) => key.split("\n")[1]!);

/** Two files of a test's own, and how a server is started on them. */
interface Files extends AsyncDisposable {
  readonly cert: string;
  readonly key: string;
  /** Each file is replaced at one moment, as the tools do it; without a text it is removed. */
  write(cert: string | undefined, key: string | undefined): Promise<void>;
  options(workers?: number): ServerOptions;
}

Deno.test("what a path leads to is named, and none is waited for", async () => {
  await using files = await newFiles();
  const large = "x".repeat(1024 * 1024 + 1);
  const cases: [make: () => Promise<unknown>, file: "cert" | "key", problem: string][] = [
    [() => files.write(undefined, pem.KEY), "cert", "there is no such file"],
    [() => files.write("", pem.KEY), "cert", "is empty"],
    [() => files.write(large, pem.KEY), "cert", "has 1048577 bytes, expected 1048576 or fewer"],
    [
      () => files.write(pem.ODD_CURVE, pem.ODD_CURVE_KEY),
      "cert",
      "no handshake comes about with this certificate and key (",
    ],
    [() => files.write(pem.CERTIFICATE, undefined), "key", "there is no such file"],
    [() => Deno.mkdir(files.key), "key", "is a directory, expected a file"],
    [() => replaced(files.key, () => shell(`mkfifo "${files.key}"`)), "key", "is no regular file, expected a file"],
    [() => replaced(files.key, () => shell(`ln -s "${files.key}" "${files.key}"`)), "key", "can't be read ("],
  ];
  for (const [make, file, problem] of cases) {
    await make();
    const read = await readTlsFiles(files, Date.now(), []);
    assert("problems" in read, problem);
    assertEquals(read.problems.map((problem) => problem.file), [file]);
    assertEquals(read.problems[0]!.problem.slice(0, problem.length), problem);
  }
  // As renewals place them: a link to the newest.
  await files.write(pem.CERTIFICATE, undefined);
  await Deno.writeTextFile(`${files.key}.1`, pem.KEY);
  await shell(`ln -s "${files.key}.1" "${files.key}"`);
  assert("pair" in await readTlsFiles(files, Date.now(), []));
});

Deno.test("files that can't serve a handshake end the start with 78 under their setting's name, with workers too", async () => {
  await using files = await newFiles();
  const cases: [cert: string | undefined, workers: number | undefined, setting: string, words: string][] = [
    [undefined, 2, "TLS_CERT_FILE", "there is no such file"],
    [pem.CERTIFICATE, undefined, "TLS_KEY_FILE", "the key is not that of the certificate"],
  ];
  for (const [cert, workers, setting, words] of cases) {
    await files.write(cert, pem.RENEWED_KEY);
    const { code, stdout, stderr } = await runServer(files.options(workers));
    assertEquals([code, stdout], [EXIT_UNUSABLE, ""], stderr);
    assertEquals(stderr.match(/Cannot start/g)?.length, 1, stderr);
    const path = setting === "TLS_CERT_FILE" ? files.cert : files.key;
    assertStringIncludes(stderr, `\n  ${setting}: ${words}, got "${path}"`);
    assert(!stderr.includes("    at ") && !SECRETS.some((secret) => stderr.includes(secret)), stderr);
  }
});

Deno.test("files that the program may not read are named with the flag and the settings", async () => {
  await using files = await newFiles();
  await files.write(pem.CERTIFICATE, pem.KEY);
  const { code, stderr } = await runServer({ ...files.options(), flags: (flags) => flags });
  assertEquals(code, EXIT_UNUSABLE);
  assertStringIncludes(stderr, `--allow-read=${files.cert} --allow-read=${files.key}`);
  assertStringIncludes(stderr, "TLS_CERT_FILE and TLS_KEY_FILE");
});

Deno.test("a renewed certificate serves new connections, without a restart and without a break of old ones", async () => {
  await using files = await newFiles();
  await files.write(pem.CERTIFICATE, pem.KEY);
  await using server = await startServer(files.options());
  const old = http2.connect(server.url, { ca: pem.CERTIFICATE });
  assertEquals(await healthOver(old), 200);
  assertEquals([await shown(server, "h2"), await shown(server, "http/1.1")], ["localhost h2", "localhost http/1.1"]);

  // Found by the look that comes by itself.
  await files.write(pem.RENEWED, pem.RENEWED_KEY);
  await eventually(async () => await shown(server, "h2") === "renewed h2", "it is in use");
  assertEquals(await shown(server, "http/1.1"), "renewed http/1.1");
  assertEquals(await healthOver(old), 200);
  old.destroy();

  // A pair that is broken, and what was in use stays.
  await files.write(pem.RENEWED, pem.KEY);
  server.signal("SIGHUP");
  await eventually(() => saysUnusable(server, "TLS_KEY_FILE: the key is not that of the certificate"), "it is said");
  assertEquals(await shown(server, "h2"), "renewed h2");
  await Deno.remove(files.cert);
  server.signal("SIGHUP");
  await eventually(() => saysUnusable(server, "TLS_CERT_FILE: there is no such file"), "it is said");
  assertEquals(await shown(server, "h2"), "renewed h2");

  await files.write(pem.ISSUED + pem.AUTHORITY, pem.KEY);
  server.signal("SIGHUP");
  await eventually(async () => await shown(server, "h2") === "localhost h2", "it is in use");
  assertEquals(await server.stop(), 0);
  assert(!SECRETS.some((secret) => server.output.stderr.includes(secret)));
});

Deno.test("SIGHUP has every worker take up a renewed certificate, and none dies of it", async () => {
  await using files = await newFiles();
  await files.write(pem.CERTIFICATE, pem.KEY);
  await using server = await startServer(files.options(2));
  const pids = [pidOf(server, 1), pidOf(server, 2)];
  // Said only to who asks.
  server.signal("SIGHUP");
  await eventually(() => saidTimes(server, "the certificate's files hold what is in use") === 2, "both were asked");
  await files.write(pem.RENEWED, pem.RENEWED_KEY);
  server.signal("SIGHUP");
  const renewed = "a renewed certificate is in use for new connections";
  await eventually(() => {
    return [1, 2].every((worker) => logLines(server).some((line) => line.msg === renewed && line.worker === worker));
  }, "both have it");
  for (let i = 0; i < 8; i++) assertEquals(await shown(server, "h2"), "renewed h2");
  await files.write("garbage", pem.KEY);
  server.signal("SIGHUP");
  await eventually(() => saidTimes(server, UNUSABLE) === 2, "both say it");
  assertEquals(await shown(server, "h2"), "renewed h2");
  assertEquals([pidOf(server, 1), pidOf(server, 2)], pids);
  assertEquals(await server.stop(), 0);
});

async function newFiles(): Promise<Files> {
  const dir = await Deno.makeTempDir();
  const [cert, key] = [`${dir}/chain.pem`, `${dir}/key.pem`];
  const place = async (path: string, text: string | undefined) => {
    if (text === undefined) return await Deno.remove(path).catch(() => {});
    await Deno.writeTextFile(`${path}.new`, text);
    await Deno.rename(`${path}.new`, path);
  };
  return {
    cert,
    key,
    async write(certText, keyText) {
      await place(cert, certText);
      await place(key, keyText);
    },
    options: (workers) => ({
      env: { TLS_CERT_FILE: cert, TLS_KEY_FILE: key },
      ca: pem.CERTIFICATE,
      flags: (flags) => [...flags, `--allow-read=${cert},${key}`],
      ...(workers === undefined ? {} : { workers, flags: (flags: readonly string[]) => flags }),
    }),
    [Symbol.asyncDispose]: () => Deno.remove(dir, { recursive: true }),
  };
}

async function replaced(path: string, make: () => Promise<unknown>): Promise<void> {
  await Deno.remove(path);
  await make();
}

async function shell(line: string): Promise<void> {
  const { success } = await new Deno.Command("sh", { args: ["-c", line] }).output();
  assert(success, line);
}

/** Whose certificate a new connection is shown, and the protocol of it. */
function shown(server: TestServer, protocol: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { port: server.port, host: "127.0.0.1", rejectUnauthorized: false, ALPNProtocols: [protocol] };
    const socket = tls.connect(options, () => {
      resolve(`${socket.getPeerCertificate().subject.CN} ${socket.alpnProtocol}`);
      socket.destroy();
    });
    socket.on("error", reject);
  });
}

/** A look that falls between the two files of a renewal says so, too, so that it may have been said before. */
function saysUnusable({ output }: TestServer, problem: string): boolean {
  return output.stderr.split("\n").some((line) => line.includes(UNUSABLE) && line.includes(`"problems":["${problem}`));
}

function saidTimes(server: TestServer, words: string): number {
  return logLines(server).filter(({ msg }) => msg === words).length;
}

/** The HTTP status of a call on a session. */
function healthOver(session: http2.ClientHttp2Session): Promise<number> {
  return new Promise((resolve, reject) => {
    const path = "/grpc.health.v1.Health/Check";
    const stream = session.request({ ":method": "POST", ":path": path, "content-type": "application/json" });
    stream.on("response", (headers) => resolve(Number(headers[":status"])));
    stream.on("error", reject);
    stream.resume().end("{}");
  });
}
