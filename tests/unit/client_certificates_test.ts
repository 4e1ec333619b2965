/** What of a connection's certificate is believed, where no handshake is needed to see it. */
import { assertEquals } from "@std/assert";
import { X509Certificate } from "node:crypto";
import type { TLSSocket } from "node:tls";
import { ClientCertificates } from "../../src/auth/client_certificates.ts";
import { CLIENT_AUTHORITY, CLIENTS, OTHER_AUTHORITY } from "../support/tls/client_certificates.ts";

const socketOf = (given: unknown, { authorized = true, isResumed = false } = {}): TLSSocket =>
  ({
    authorized,
    isSessionReused: () => isResumed,
    getPeerCertificate() {
      if (given instanceof Error) throw given;
      return given;
    },
  }) as unknown as TLSSocket;
const shownOf = (pem: string) => ({ raw: new X509Certificate(pem).raw });

Deno.test("what can't be read is as if nothing was shown, and ends nothing", () => {
  const certificates = new ClientCertificates(CLIENT_AUTHORITY);
  for (const given of [new Error("no certificate"), null, undefined, {}, { raw: new Uint8Array([0x30, 1]) }]) {
    const socket = socketOf(given);
    certificates.shown(socket, socket);
    assertEquals(certificates.of(socket), undefined);
  }
});

Deno.test("a certificate is over at its end, and not before, on a connection that is there", () => {
  let nowMs = Date.parse("2030-01-01T00:00:00Z");
  const certificates = new ClientCertificates(CLIENT_AUTHORITY, () => nowMs);
  const doubtOf = (pem: string, how?: { authorized?: boolean; isResumed?: boolean }) => {
    const socket = socketOf(shownOf(pem), how);
    certificates.shown(socket, socket);
    return certificates.of(socket)!;
  };
  assertEquals(doubtOf(CLIENTS.orders, { isResumed: true }).doubt(), "untrusted");
  assertEquals(doubtOf(CLIENTS.orders, { authorized: false }).doubt(), "untrusted");
  const certificate = doubtOf(CLIENTS.orders);
  assertEquals(certificate.doubt(), undefined);
  // It is known from here on, and the others are what they were.
  assertEquals(doubtOf(CLIENTS.orders, { isResumed: true }).doubt(), undefined);
  assertEquals(doubtOf(CLIENTS.ops, { isResumed: true }).doubt(), "untrusted");
  assertEquals(doubtOf(CLIENTS.ofItself).doubt(), "untrusted");
  assertEquals(doubtOf(CLIENTS.sameIssuer).doubt(), "untrusted");
  assertEquals(doubtOf(CLIENTS.notYet).doubt(), "not_yet_valid");
  certificates.useAuthorities(OTHER_AUTHORITY);
  assertEquals(certificate.doubt(), "untrusted");
  certificates.useAuthorities(CLIENT_AUTHORITY);
  assertEquals(certificate.doubt(), undefined);
  nowMs = Date.parse("2120-01-01T00:00:01Z");
  assertEquals(certificate.doubt(), "expired");
});
