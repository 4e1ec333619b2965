/** The keys of SCRAM-SHA-256 (RFC 5802, RFC 7677), and what PostgreSQL stores of a password (RFC 5803). */
import { Buffer } from "node:buffer";
import { createHash, createHmac, pbkdf2Sync } from "node:crypto";

const KEY_BYTES = 32;

/** What is derived of a password. */
export interface ScramKeys {
  readonly clientKey: Buffer;
  readonly storedKey: Buffer;
  readonly serverKey: Buffer;
}

/** Derives the keys. It takes the thread: 4,096 iterations some ms, so that whoever lets others choose bounds them. */
export function scramKeys(password: string, salt: Buffer, iterations: number): ScramKeys {
  const salted = pbkdf2Sync(password.normalize("NFKC"), salt, iterations, KEY_BYTES, "sha256");
  const clientKey = scramHmac(salted, "Client Key");
  const storedKey = createHash("sha256").update(clientKey).digest();
  return { clientKey, storedKey, serverKey: scramHmac(salted, "Server Key") };
}

/** The keyed hash that SCRAM signs with. */
export function scramHmac(key: Buffer, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}

/** A password as PostgreSQL stores it. It has no character that a SQL literal would have to escape. */
export function scramVerifier(password: string, salt: Buffer, iterations: number): string {
  const { storedKey, serverKey } = scramKeys(password, salt, iterations);
  const base64 = (bytes: Buffer) => bytes.toString("base64");
  return `SCRAM-SHA-256$${iterations}:${base64(salt)}$${base64(storedKey)}:${base64(serverKey)}`;
}
