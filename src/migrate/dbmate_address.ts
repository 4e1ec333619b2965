/**
 * The address that dbmate is given: made from what was read of ours and found out by a session, so that both mean the
 * same. Pure.
 */
import type { Buffer } from "node:buffer";
import { percentEncoded } from "../config/address_text.ts";
import type { OpenSession } from "./session.ts";

/** A session's findings. */
export type Findings = Omit<OpenSession, "sql">;

/**
 * The certificate that dbmate must see and no other, as PEM; undefined where the address says enough. Its driver
 * (lib/pq) can't bind its log-in, so it takes the certificate that ours was bound to.
 */
export function pinnedCertificate({ address, peerCertificate }: Findings): string | undefined {
  const { tls, channelBinding } = address;
  const isProven = tls.mode === "verify-full" || tls.mode === "verify-ca";
  return channelBinding !== "require" || isProven || peerCertificate === undefined ? undefined : pem(peerCertificate);
}

/**
 * The address of the session's host as lib/pq reads it; `pinnedFile`: where the pinned certificate is. It contains
 * secrets: it is for the environment of one process.
 */
export function dbmateUrl(findings: Findings, pinnedFile?: string): string {
  const { address, certificates, peerCertificate } = findings;
  const { hosts: [host], user, password, database, tls, applicationName, options } = address;
  const trustedFile = pinnedFile ?? (certificates.trusted === undefined ? undefined : tls.rootCertificate);
  const isProven = tls.mode === "verify-full" || tls.mode === "verify-ca";
  // With certificates to trust, libpq takes `require` for `verify-ca`.
  const underTls = isProven ? tls.mode : trustedFile === undefined ? "require" : "verify-ca";
  const mode = peerCertificate === undefined ? "disable" : underTls;
  const { own } = certificates;
  // As text, where there is a key: lib/pq would refuse a file of it that others may read. It then takes all as text.
  const inText = { sslinline: "true", sslrootcert: pinnedCertificate(findings) ?? certificates.trusted };
  const files = own === undefined
    ? { sslrootcert: trustedFile }
    : { ...inText, sslcert: own.certificate, sslkey: own.key };
  const parameters: Record<string, string | undefined> = {
    // By parameters: dbmate takes the brackets off an IPv6 address, and a socket has no other place.
    host: host!.name,
    port: String(host!.port),
    sslmode: mode,
    // The name that is asked for is the name that lib/pq then wants to see in the certificate.
    ...(mode === "verify-ca" ? { sslsni: "0" } : {}),
    ...(mode === "disable" ? {} : files),
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
