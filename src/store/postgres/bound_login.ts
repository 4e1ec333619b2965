/**
 * A log-in that is bound to the server's certificate (SCRAM-SHA-256-PLUS, RFC 5802, with `tls-server-end-point`, RFC
 * 5929), which the driver (3.4.9) does not know: who stands between us and PostgreSQL with a certificate of his own is
 * found out without knowing the right one. It answers PostgreSQL itself, and the driver sees that it was let in.
 *
 *     asked   --AuthenticationSASL--> begun:    the first message is sent
 *     begun   --SASLContinue-->       proven:   the proof is sent
 *     proven  --SASLFinal-->          answered: the server has proven itself too
 *     answered --AuthenticationOk-->  over:     all that comes goes to the driver
 *     any     --another message of a log-in--> refused
 */
import { Buffer } from "node:buffer";
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { ReplyError } from "./reply_guard.ts";
import { scramHmac, scramKeys } from "./scram.ts";

const MECHANISM = "SCRAM-SHA-256-PLUS";
const BINDING = "p=tls-server-end-point,,";
const NONCE_BYTES = 18;
const [OK, SASL, SASL_CONTINUE, SASL_FINAL] = [0, 10, 11, 12];
const AUTHENTICATION = 0x52;
const EMPTY = Buffer.alloc(0);

/** What the log-in needs to know. */
export interface BoundLoginOptions {
  /** The server's certificate as DER. */
  readonly certificate: Buffer;
  readonly password: string;
  /** Sends bytes to PostgreSQL. */
  readonly send: (bytes: Buffer) => void;
  /** As base64 or the like; drawn where absent. */
  readonly nonce?: string;
}

/** One log-in. What the server says has been looked at by the guard before. */
export class BoundLogin {
  readonly #options: BoundLoginOptions;
  readonly #nonce: string;
  #state: "asked" | "begun" | "proven" | "answered" | "over" = "asked";
  #bytes: Buffer = EMPTY;
  #serverSignature: Buffer = EMPTY;

  constructor(options: BoundLoginOptions) {
    this.#options = options;
    this.#nonce = options.nonce ?? randomBytes(NONCE_BYTES).toString("base64");
  }

  /** What of the next bytes is for the driver. Throws ReplyError where the log-in is not bound, or goes wrong. */
  take(bytes: Buffer): Buffer {
    if (this.#state === "over") return bytes;
    this.#bytes = this.#bytes.length === 0 ? bytes : Buffer.concat([this.#bytes, bytes]);
    const passed: Buffer[] = [];
    while (this.#bytes.length >= 5) {
      const size = 1 + this.#bytes.readInt32BE(1);
      if (this.#bytes.length < size) break;
      const message = this.#bytes.subarray(0, size);
      this.#bytes = this.#bytes.subarray(size);
      if (message[0] !== AUTHENTICATION || this.#step(message.readInt32BE(5), message.subarray(9))) {
        passed.push(message);
      }
      if (this.#isOver()) {
        passed.push(this.#bytes);
        this.#bytes = EMPTY;
      }
    }
    return Buffer.concat(passed);
  }

  #isOver(): boolean {
    return this.#state === "over";
  }

  /** Answers one message of the log-in. True: the driver sees it. */
  #step(kind: number, payload: Buffer): boolean {
    if (kind === SASL && this.#state === "asked") this.#begin(payload.toString("latin1").split("\0"));
    else if (kind === SASL_CONTINUE && this.#state === "begun") this.#prove(payload.toString("utf8"));
    else if (kind === SASL_FINAL && this.#state === "proven") this.#look(payload.toString("utf8"));
    else if (kind === OK && this.#state === "answered") this.#state = "over";
    else {throw new ReplyError(
        "PostgreSQL lets us in without SCRAM, which can't be bound, and channel_binding is require",
      );}
    return this.#isOver();
  }

  #begin(mechanisms: readonly string[]): void {
    if (!mechanisms.includes(MECHANISM)) {
      throw new ReplyError(`PostgreSQL offers no ${MECHANISM}, and channel_binding is require`);
    }
    const first = Buffer.from(`${BINDING}n=,r=${this.#nonce}`);
    const length = Buffer.alloc(4);
    length.writeInt32BE(first.length);
    this.#send(Buffer.concat([Buffer.from(`${MECHANISM}\0`), length, first]));
    this.#state = "begun";
  }

  #prove(serverFirst: string): void {
    const [, nonce = "", salt = "", iterations] = /^r=([^,]+),s=([^,]+),i=(\d+)$/.exec(serverFirst) ?? [];
    if (!nonce.startsWith(this.#nonce)) throw new ReplyError("a log-in by SCRAM that answers somebody else");
    const { password, certificate } = this.#options;
    const bound = Buffer.concat([Buffer.from(BINDING), certificateHash(certificate)]).toString("base64");
    const withoutProof = `c=${bound},r=${nonce}`;
    const signed = `n=,r=${this.#nonce},${serverFirst},${withoutProof}`;
    // The guard has bounded the iterations.
    const { clientKey, storedKey, serverKey } = scramKeys(password, Buffer.from(salt, "base64"), Number(iterations));
    const signature = scramHmac(storedKey, signed);
    const proof = Buffer.from(clientKey.map((byte, i) => byte ^ (signature[i] ?? 0)));
    this.#serverSignature = scramHmac(serverKey, signed);
    this.#send(Buffer.from(`${withoutProof},p=${proof.toString("base64")}`));
    this.#state = "proven";
  }

  #look(serverFinal: string): void {
    const given = Buffer.from(/^v=([^,]+)/.exec(serverFinal)?.[1] ?? "", "base64");
    if (given.length !== this.#serverSignature.length || !timingSafeEqual(given, this.#serverSignature)) {
      throw new ReplyError("PostgreSQL did not prove that it knows the password");
    }
    this.#state = "answered";
  }

  /** A message of type `p`. */
  #send(payload: Buffer): void {
    const header = Buffer.alloc(5);
    header.write("p", "latin1");
    header.writeInt32BE(payload.length + 4, 1);
    this.#options.send(Buffer.concat([header, payload]));
  }
}

/**
 * Ends of the numbers of signature algorithms, as they stand in a certificate, and the hash that RFC 5929 then asks
 * for.
 */
const HASHES: readonly [oid: string, hash: string][] = [
  ["2a864886f70d010104", "sha256"], // md5WithRSA
  ["2a864886f70d010105", "sha256"], // sha1WithRSA
  ["2a864886f70d01010b", "sha256"],
  ["2a864886f70d01010c", "sha384"],
  ["2a864886f70d01010d", "sha512"],
  ["2a8648ce3d0401", "sha256"], // ecdsaWithSHA1
  ["2a8648ce3d040302", "sha256"],
  ["2a8648ce3d040303", "sha384"],
  ["2a8648ce3d040304", "sha512"],
];

/** The hash of a certificate by the hash that it is signed with. Throws ReplyError for one that has none of its own. */
export function certificateHash(der: Buffer): Buffer {
  const [certificate] = elementAt(der, 0);
  const [, signedEnd] = elementAt(der, certificate);
  const [algorithm] = elementAt(der, signedEnd);
  const [number, end] = elementAt(der, algorithm);
  const oid = der.subarray(number, end).toString("hex");
  const hash = HASHES.find(([known]) => known === oid)?.[1];
  if (hash === undefined) {
    throw new ReplyError("the server's certificate is signed in a way that no log-in can be bound to");
  }
  return createHash(hash).update(der).digest();
}

/** Where the content of the DER element at `at` begins and ends. */
function elementAt(der: Buffer, at: number): [start: number, end: number] {
  const first = der[at + 1] ?? 0;
  const size = first < 0x80 ? 0 : first & 0x7f;
  const start = at + 2 + size;
  const isThere = at + 2 <= der.length && start <= der.length && size <= 4;
  const length = !isThere ? Infinity : size === 0 ? first : der.readUIntBE(at + 2, size);
  if (start + length > der.length) throw new ReplyError("the server's certificate can't be read");
  return [start, start + length];
}
