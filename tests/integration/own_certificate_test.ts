/** The certificate that `up --tls` makes: kept, for its owner alone, and made anew before it ends. */
import { assert, assertEquals } from "@std/assert";
import { X509Certificate } from "node:crypto";
import { readTlsFiles } from "../../src/tls/files.ts";
import { bringCertificate } from "../../tools/up/own_certificate.ts";

const DAY_MS = 86_400_000;

Deno.test("a certificate of up's own: who may read its key, its names, and when it is made anew", async () => {
  const dir = await Deno.realPath(await Deno.makeTempDir());
  const nowMs = Date.now();
  const bring = async (host: string, afterDays = 0) => {
    const { cert } = await bringCertificate(dir, host, nowMs + afterDays * DAY_MS);
    return await Deno.readTextFile(cert);
  };
  const first = await bring("127.0.0.1");
  const paths = { cert: `${dir}/tls/certificate.pem`, key: `${dir}/tls/key.pem` };
  const modes = [`${dir}/tls`, paths.key].map((path) => (Deno.statSync(path).mode ?? 0) & 0o777);
  assertEquals(modes, [0o700, 0o600]);
  const certificate = new X509Certificate(first);
  assert(certificate.checkHost("localhost") && certificate.checkIP("127.0.0.1") && certificate.checkIP("::1"));
  assertEquals(certificate.ca, false);
  const read = await readTlsFiles(paths, nowMs + 1000, ["localhost", "127.0.0.1"]);
  assert("pair" in read, JSON.stringify(read));

  assertEquals(await bring("0.0.0.0", 300), first, "it stays");
  const named = await bring("stock.example");
  assert(new X509Certificate(named).checkHost("stock.example") !== undefined);
  assertEquals(await bring("stock.example"), named);
  assert(await bring("stock.example", 340) !== named, "it would end soon");
  const again = await bring("stock.example");
  await Deno.chmod(paths.key, 0o644);
  assert(await bring("stock.example") !== again, "others could read its key");
  const older = await Deno.readTextFile(paths.key);
  const renewed = await bring("other.example");
  await Deno.writeTextFile(paths.key, older);
  const other = await bring("other.example");
  assert(other !== renewed, "its key was another's, as of a start that was cut short");
  assert("pair" in await readTlsFiles(paths, nowMs + 1000, ["other.example"]));
  await Deno.writeTextFile(paths.cert, "no certificate");
  assert(new X509Certificate(await bring("localhost")).checkHost("localhost") !== undefined);
  assertEquals([...Deno.readDirSync(`${dir}/tls`)].map(({ name }) => name).sort(), ["certificate.pem", "key.pem"]);
});
