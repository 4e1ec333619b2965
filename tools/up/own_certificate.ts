/**
 * A certificate that `up --tls` makes for itself, by openssl: for this machine's names, signed by its own key. It stays
 * under DATA_DIR and is made anew, at a start, when it ends soon or lacks a name. Whoever trusts this one file trusts
 * this one server: it is no authority, and can sign nothing.
 */
import { createPrivateKey, X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import { join } from "node:path";
import { ownDirectory, PRIVATE_MODE } from "../stack/own_directory.ts";

/** How long it is good for, and how long before its end it is made anew. */
const DAYS = 365;
const RENEW_DAYS = 30;
const DAY_MS = 86_400_000;
const KEY_MODE = 0o600;
/** What every one has. */
const NAMES = ["localhost", "127.0.0.1", "::1"];
/** Addresses that stand for all of a machine, and are no name of it. */
const ANY = ["0.0.0.0", "::"];

/** Paths, as PEM. */
export interface OwnCertificate {
  readonly cert: string;
  readonly key: string;
}

/**
 * The certificate under `dir`, made where there is none that will do.
 *
 * @param host where the server listens @param nowMs in ms since 1970
 * @throws Error where openssl is missing, or fails
 */
export async function bringCertificate(dir: string, host: string, nowMs: number): Promise<OwnCertificate> {
  const own = await ownDirectory(join(dir, "tls"), PRIVATE_MODE);
  const paths = { cert: join(own, "certificate.pem"), key: join(own, "key.pem") };
  const names = [...new Set([...NAMES, ...ANY.includes(host) ? [] : [host]])];
  if (await isGood(paths, names, nowMs)) return paths;
  const made = { cert: `${paths.cert}.new`, key: `${paths.key}.new` };
  const subjects = names.map((name) => `${isIP(name) === 0 ? "DNS" : "IP"}:${name}`).join(",");
  await openssl([
    ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc", "-days", `${DAYS}`],
    ...["-subj", "/CN=Holdfast on this machine", "-addext", `subjectAltName=${subjects}`],
    ...["-addext", "basicConstraints=critical,CA:FALSE", "-addext", "extendedKeyUsage=serverAuth"],
    ...["-keyout", made.key, "-out", made.cert],
  ]);
  await Deno.chmod(made.key, KEY_MODE);
  await Deno.rename(made.key, paths.key);
  await Deno.rename(made.cert, paths.cert);
  return paths;
}

/** Whether it is there with its own key, has these names, and does not end soon. */
async function isGood({ cert, key }: OwnCertificate, names: readonly string[], nowMs: number): Promise<boolean> {
  try {
    const certificate = new X509Certificate(await Deno.readTextFile(cert));
    const { mode } = await Deno.stat(key);
    return ((mode ?? 0) & 0o077) === 0 &&
      certificate.checkPrivateKey(createPrivateKey(await Deno.readTextFile(key))) &&
      Date.parse(certificate.validTo) - nowMs > RENEW_DAYS * DAY_MS &&
      names.every((name) => (isIP(name) === 0 ? certificate.checkHost(name) : certificate.checkIP(name)) !== undefined);
  } catch {
    return false;
  }
}

async function openssl(args: readonly string[]): Promise<void> {
  let output: Deno.CommandOutput;
  try {
    output = await new Deno.Command("openssl", { args: [...args], stdin: "null", stdout: "null", stderr: "piped" })
      .output();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new Error(
      "--tls makes a certificate by openssl, which is missing: install it, such as `apt install openssl`",
    );
  }
  if (output.success) return;
  throw new Error(`openssl made no certificate: ${new TextDecoder().decode(output.stderr).trim()}`);
}
