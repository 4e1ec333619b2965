/** The program with the certificate of the tests, which is for localhost and 127.0.0.1 and its own authority. */
import type { ServerOptions } from "./server.ts";

const FILES = new URL("./tls/", import.meta.url).pathname;

/** Paths of the certificate and of its key, as PEM. */
export const TLS_CERTIFICATE_FILE = `${FILES}certificate.pem`;
export const TLS_KEY_FILE = `${FILES}key.pem`;
/** What is in the first of them. */
export const TLS_CERTIFICATE = Deno.readTextFileSync(TLS_CERTIFICATE_FILE);

/** For a server that speaks TLS. */
export const WITH_TLS: ServerOptions = {
  env: { TLS_CERT_FILE: TLS_CERTIFICATE_FILE, TLS_KEY_FILE: TLS_KEY_FILE },
  flags: (flags) => [...flags, `--allow-read=${TLS_CERTIFICATE_FILE},${TLS_KEY_FILE}`],
  ca: TLS_CERTIFICATE,
};
