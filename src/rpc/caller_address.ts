/**
 * Whose call it is, for handlers that have limits by address.
 */
import { type ContextValues, createContextKey, createContextValues } from "@connectrpc/connect";

const addressKey = createContextKey("", { description: "key of the caller's address" });

/** Context values of a call from the address with this key (`address_key.ts`). */
export function callerValues(address: string): ContextValues {
  return createContextValues().set(addressKey, address);
}

/** The key of the caller's address; "" for a call that came over no listener. */
export function callerAddress(values: ContextValues): string {
  return values.get(addressKey);
}
