/** What launchers hand on of their environment. */
import { assertEquals } from "@std/assert";
import { denoEnvironment } from "../../src/process/child_environment.ts";

/** By which Deno knows the certificate of a proxy that it fetches packages through. */
const CERTIFICATES = ["DENO_CERT", "DENO_TLS_CA_STORE", "NODE_EXTRA_CA_CERTS", "SSL_CERT_DIR", "SSL_CERT_FILE"];

Deno.test("a Deno that fetches packages is handed what it knows certificates by, and no password", () => {
  const names = [...CERTIFICATES, "DATABASE_OWNER_URL"];
  const before = new Map(names.map((name) => [name, Deno.env.get(name)]));
  try {
    for (const name of names) Deno.env.set(name, `of ${name}`);
    const handedOn = Object.entries(denoEnvironment()).filter(([name]) => names.includes(name)).sort();
    assertEquals(handedOn, CERTIFICATES.map((name): [string, string] => [name, `of ${name}`]));
  } finally {
    // The files that share this process have none of it: nothing runs in between.
    for (const [name, value] of before) value === undefined ? Deno.env.delete(name) : Deno.env.set(name, value);
  }
});
