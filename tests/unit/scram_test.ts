import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { assertEquals } from "@std/assert";
import { scramHmac, scramKeys, scramVerifier } from "../../src/store/postgres/scram.ts";

/** The log-in of RFC 7677, section 3. */
const SALT = Buffer.from("W22ZaJ0SNY7soEsUEjb6gQ==", "base64");
const SIGNED = "n=user,r=rOprNGfwEbeRWgbNEkqO," +
  "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096," +
  "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
const PROOF = "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
const SERVER_SIGNATURE = "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";

Deno.test("the keys of a password prove and are proven as in the RFC", () => {
  const { clientKey, storedKey, serverKey } = scramKeys("pencil", SALT, 4096);
  const signature = scramHmac(storedKey, SIGNED);
  assertEquals(Buffer.from(clientKey.map((byte, i) => byte ^ signature[i]!)).toString("base64"), PROOF);
  assertEquals(scramHmac(serverKey, SIGNED).toString("base64"), SERVER_SIGNATURE);
});

Deno.test("what PostgreSQL stores of a password checks the proof and has nothing of the password", () => {
  const verifier = scramVerifier("pencil", SALT, 4096);
  const [, storedKey = "", serverKey = ""] =
    /^SCRAM-SHA-256\$4096:W22ZaJ0SNY7soEsUEjb6gQ==\$([^:]+):(.+)$/.exec(verifier) ?? [];
  const signature = scramHmac(Buffer.from(storedKey, "base64"), SIGNED);
  const clientKey = Buffer.from(PROOF, "base64").map((byte, i) => byte ^ signature[i]!);
  assertEquals(createHash("sha256").update(clientKey).digest("base64"), storedKey);
  assertEquals(scramHmac(Buffer.from(serverKey, "base64"), SIGNED).toString("base64"), SERVER_SIGNATURE);
});
