/** Whose certificates count, as the settings have it, and what a certificate is called by. Pure. */
import { isName } from "./identity.ts";
import type { Right } from "./rights.ts";

/** What the settings say of client certificates. */
export interface MtlsRules {
  /** Path of the certificates by whose keys theirs are signed, as PEM. */
  readonly caFile: string;
  /** By the name of a certificate, see {@link isCertificateName}; with all that they contain. */
  readonly rights: ReadonlyMap<string, ReadonlySet<Right>>;
}

/** In lower case: the trust domain's letters, and a path of segments that are no dots (the SPIFFE ID standard, 2). */
const SPIFFE = /^spiffe:\/\/[a-z0-9._-]+(\/(?!\.{1,2}(?:\/|$))[A-Za-z0-9._-]+)+$/;
const DNS = /^dns:(?!-)[a-z0-9_-]{1,63}(\.(?!-)[a-z0-9_-]{1,63})*$/;
const CN = /^cn:[^=+]+$/;

/**
 * Whether a certificate may be called so: `spiffe://shop/orders`, `dns:pos.shop.example`, `cn:till`. What comes before
 * the colon keeps the kinds apart: who may have any common name signed has no host's name by that.
 */
export function isCertificateName(name: string): boolean {
  return isName(name) && (SPIFFE.test(name) || DNS.test(name) || CN.test(name));
}
