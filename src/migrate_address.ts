/** The address that dbmate is given: made from what was read of ours and found out by a session, so that both mean the same. Pure. */
import type { Buffer } from "node:buffer";
import type { OpenSession } from "./migrate_session.ts";
import { percentEncoded } from "./config/address_text.ts";

/**
 * The address of the session's host as dbmate's driver (lib/pq) reads it. Certificates stand in it as text, so that it is
 * for the environment of one process and for nobody to see.
 */
export function dbmateUrl({ address, certificates, peerCertificate }: Omit<OpenSession, "sql">): string {
  const { hosts: [host], user, password, database, tls, channelBinding, applicationName, options } = address;
  const { own } = certificates;
  const isUnderTls = peerCertificate !== undefined;
  // lib/pq can't bind its log-in: it takes the certificate that ours was bound to, and no other.
  const isBound = isUnderTls && channelBinding === "require";
  const trusted = isBound ? pem(peerCertificate) : certificates.trusted;
  // With certificates to trust, libpq takes `require` for `verify-ca`.
  const isVerified = !isBound && (tls.mode === "verify-full" || tls.mode === "verify-ca");
  const underTls = isVerified ? tls.mode : trusted === undefined ? "require" : "verify-ca";
  const mode = isUnderTls ? underTls : "disable";
  const parameters: Record<string, string | undefined> = {
    // By parameters: dbmate takes the brackets off an IPv6 address, and a socket has no other place.
    host: host!.name,
    port: String(host!.port),
    sslmode: mode,
    // The name that is asked for is the name that lib/pq then wants to see in the certificate.
    ...(mode === "verify-ca" ? { sslsni: "0" } : {}),
    ...(isUnderTls && (trusted ?? own) !== undefined
      ? { sslinline: "true", sslrootcert: trusted, sslcert: own?.certificate, sslkey: own?.key }
      : {}),
    application_name: applicationName,
    options,
  };
  const query = Object.entries(parameters)
    .flatMap(([name, value]) => value === undefined ? [] : [`${name}=${percentEncoded(value)}`]).join("&");
  const who = `${percentEncoded(user)}${password === undefined ? "" : `:${percentEncoded(password)}`}`;
  return `postgres://${who}@/${percentEncoded(database)}?${query}`;
}

function pem(der: Buffer): string {
  const lines = der.toString("base64").match(/.{1,64}/g) ?? [];
  return ["-----BEGIN CERTIFICATE-----", ...lines, "-----END CERTIFICATE-----", ""].join("\n");
}
