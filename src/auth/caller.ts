/** Who calls, as handlers learn it. */
import { type ContextValues, createContextKey } from "@connectrpc/connect";
import type { Identity } from "./identity.ts";

const identityKey = createContextKey<Identity | undefined>(undefined, { description: "who calls" });

/** Says of a call whose it is. */
export function setIdentity(values: ContextValues, identity: Identity): void {
  values.set(identityKey, identity);
}

/** Who calls; undefined where callers prove nothing, and for what anyone may call. */
export function identityOf(values: ContextValues): Identity | undefined {
  return values.get(identityKey);
}
