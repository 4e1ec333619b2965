/**
 * What the clients of a TLS port have shown of themselves, by connection, and whether it proves anything.
 *
 * That a client has the key of its certificate the handshake has seen, else there is no connection. Whose signature is
 * on the certificate has to be looked at here, for two reasons. A port that takes keys and tokens too must let
 * connections be made without a certificate, and so with a bad one. And Deno 2.9.3 looks at the certificate in a full
 * handshake only: a session that is resumed says `authorized` of any, of one that was refused when the session began
 * and of one whose authority is no longer in the file; tickets can't be switched off. So:
 *
 *     handshake    the certificate counts when
 *     full         TLS has verified it
 *     resumed      TLS has verified this very certificate in a full handshake before, in this process, whose keys alone
 *                  can open the ticket; and it still leads to an authority in the file
 *
 * and, in both, as long as it leads to an authority in the file, for which connections that are there are looked at
 * again when that has changed, and is neither before nor after its time.
 */
import { X509Certificate } from "node:crypto";
import type { TLSSocket } from "node:tls";
import { Recent } from "../base/recent.ts";
import { type CertificateNames, certificateNames } from "./certificate_names.ts";
import type { ClientCertificate } from "./verifier.ts";

/** Certificates that are known to be verified; of more, those that were shown last. */
const VERIFIED_MAX = 10_000;
/** Certificates between one and its authority. */
const CHAIN_MAX = 5;

/** As `node:tls` gives it: with whoever signed it, where that is known. */
interface PeerCertificate {
  readonly raw?: Uint8Array;
  readonly issuerCertificate?: PeerCertificate;
}

/** The certificates of one port. */
export class ClientCertificates {
  /** By the SHA-256 of their bytes. */
  readonly #verified = new Recent<string, true>(VERIFIED_MAX);
  readonly #byCarrier = new WeakMap<object, ShownCertificate>();
  #authorities: readonly X509Certificate[];

  /**
   * @param pem the authorities
   * @param nowMs of `Date.now()`
   */
  constructor(pem: string, private readonly nowMs: () => number = Date.now) {
    this.#authorities = authoritiesOf(pem);
  }

  /** Certificates count from now on that these have signed, and no others. */
  useAuthorities(pem: string): void {
    this.#authorities = authoritiesOf(pem);
  }

  /** Takes down what the client of a new connection has shown; `carrier` is what its requests come by. */
  shown(carrier: object, socket: TLSSocket): void {
    const chain = chainOf(socket);
    const [own] = chain;
    if (own === undefined) return;
    const isVerified = socket.isSessionReused()
      ? this.#verified.get(own.fingerprint256) === true
      : socket.authorized === true;
    if (isVerified) this.#verified.set(own.fingerprint256, true);
    this.#byCarrier.set(carrier, new ShownCertificate(chain, isVerified, () => this.#authorities, this.nowMs));
  }

  /** What it was; undefined where it was nothing. */
  of(carrier: object): ClientCertificate | undefined {
    return this.#byCarrier.get(carrier);
  }
}

/** One, as its connection has shown it. */
class ShownCertificate implements ClientCertificate {
  readonly names: CertificateNames | undefined;
  readonly #beginsAtMs: number;
  readonly #endsAtMs: number;
  /** The authorities that were looked at last, and whether it leads to one of them. */
  #lookedAt: readonly X509Certificate[] | undefined;
  #leadsThere = false;

  constructor(
    private readonly chain: readonly X509Certificate[],
    private readonly isVerified: boolean,
    private readonly authorities: () => readonly X509Certificate[],
    private readonly nowMs: () => number,
  ) {
    const own = chain[0]!;
    this.names = namesOf(own);
    this.#beginsAtMs = Date.parse(own.validFrom);
    this.#endsAtMs = Date.parse(own.validTo);
  }

  doubt(): "untrusted" | "not_yet_valid" | "expired" | undefined {
    if (!this.isVerified || !this.#isOfAuthority()) return "untrusted";
    const now = this.nowMs();
    return now < this.#beginsAtMs ? "not_yet_valid" : now > this.#endsAtMs ? "expired" : undefined;
  }

  #isOfAuthority(): boolean {
    const authorities = this.authorities();
    if (this.#lookedAt !== authorities) {
      this.#lookedAt = authorities;
      this.#leadsThere = leadsTo(authorities, this.chain);
    }
    return this.#leadsThere;
  }
}

/** Whether the first of the chain is signed by one of the authorities, or by another of the chain that is. */
function leadsTo(authorities: readonly X509Certificate[], [own, ...others]: readonly X509Certificate[]): boolean {
  let current = own!;
  for (let step = 0; step < CHAIN_MAX; step++) {
    if (authorities.some((authority) => isSignedBy(current, authority))) return true;
    const next = others.find((other) => other.ca && other !== current && isSignedBy(current, other));
    if (next === undefined) return false;
    current = next;
  }
  return false;
}

function isSignedBy(certificate: X509Certificate, authority: X509Certificate): boolean {
  try {
    return certificate.checkIssued(authority) && certificate.verify(authority.publicKey);
  } catch {
    // A kind of key, or of signature, that can't be looked at.
    return false;
  }
}

/**
 * The client's own first; none where it has shown none, or one that can't be read, which TLS takes here from whoever
 * likes to send it. Deno adds the authority where it knows one.
 */
function chainOf(socket: TLSSocket): X509Certificate[] {
  const chain: X509Certificate[] = [];
  try {
    let each = socket.getPeerCertificate(true) as PeerCertificate | null | undefined;
    for (; each?.raw !== undefined && chain.length <= CHAIN_MAX; each = each.issuerCertificate) {
      chain.push(new X509Certificate(each.raw));
      // One that signed itself names itself.
      if (each.issuerCertificate === each) break;
    }
    return chain;
  } catch {
    return [];
  }
}

function authoritiesOf(pem: string): X509Certificate[] {
  return (pem.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [])
    .map((text) => new X509Certificate(text));
}

function namesOf(certificate: X509Certificate): CertificateNames | undefined {
  try {
    return certificateNames(certificate.raw);
  } catch {
    return undefined;
  }
}
