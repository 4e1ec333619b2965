/** The setting AUTH, and the rule that a port beyond loopback is not open by oversight. Pure. */
import { IDENTITY_KINDS, type IdentityKind } from "../auth/identity.ts";
import { AddressError } from "./address_text.ts";
import { duplicates, splitList } from "./lists.ts";

/** Says that callers prove nothing. */
const NONE = "none";
const EXPECTED = `expected ${NONE}, or one or more of ${IDENTITY_KINDS.join(", ")} between commas`;

/** By what callers may prove who they are; none: everybody may do everything. Throws AddressError. */
export function parseAuth(text: string): readonly IdentityKind[] {
  const entries = splitList(text);
  if (entries.length === 1 && entries[0] === NONE) return [];
  const kinds = IDENTITY_KINDS.filter((kind) => entries.includes(kind));
  if (kinds.length !== entries.length || duplicates(entries).length > 0) throw new AddressError([EXPECTED]);
  return kinds;
}

/** Whether only this machine can reach what listens there. A name other than localhost may lead anywhere. */
export function isLoopbackHost(host: string): boolean {
  return /^127\.\d+\.\d+\.\d+$|^(0*:)*0*1$|^::ffff:127\.\d+\.\d+\.\d+$|^localhost$/i.test(host);
}

/** Where others can reach the port, it has been said who may call. */
export function authProblems({ HOST, AUTH }: { readonly HOST: string; readonly AUTH?: unknown }): string[] {
  if (AUTH !== undefined || isLoopbackHost(HOST)) return [];
  return [
    `AUTH: expected, as HOST (${HOST}) can be reached from other machines: ${
      IDENTITY_KINDS.join(", ")
    }, or several of ` +
    `them between commas; or ${NONE}, which lets whoever reaches the port do everything`,
  ];
}
