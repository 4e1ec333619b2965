/** Who calls, once that is proven. */
import type { Right } from "./rights.ts";

/** By what callers may prove who they are. */
export const IDENTITY_KINDS = ["keys", "jwt", "mtls"] as const;
export type IdentityKind = typeof IDENTITY_KINDS[number];

/** Of a name, which is the actor of the ledger's rows. */
export const NAME_CHARACTERS_MAX = 128;
/** Printable ASCII. A comma is what stands between two fields of a header once they are joined. */
const NAME = /^[ -+\--~]+$/;

/** A caller. */
export interface Identity {
  readonly kind: IdentityKind;
  /** The actor of the ledger's rows; see {@link isName}. */
  readonly name: string;
  /** With all that they contain. */
  readonly rights: ReadonlySet<Right>;
  /** Whether it is still good: not expired, not revoked. Asked at every message of a stream; answers at once. */
  isValid(): boolean;
}

/** Whether an identity may have this name. */
export function isName(text: string): boolean {
  return text.length <= NAME_CHARACTERS_MAX && NAME.test(text) && text.trim() === text;
}
