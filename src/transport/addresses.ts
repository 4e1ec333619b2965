/**
 * Limits by address: whose an address is, what one of them may have of a total, and the address of a call for handlers
 * that have limits of their own.
 *
 * An IPv4 address is one party, and in IPv6 everything in one network of 64 bits is, which is the least that a site is
 * given (RFC 6177) and all of which one machine can use.
 */
import { type ContextValues, createContextKey, createContextValues } from "@connectrpc/connect";
import { invariant } from "../base/invariant.ts";

const GROUPS = 8;
const NETWORK_GROUPS = 4;
/** IPv4 as an IPv6 socket names it (RFC 4291, section 2.5.5.2). */
const MAPPED = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;

/** This machine's own address in IPv6, whose network of 64 bits has others too. */
const LOOPBACK6 = "::1";

/** The key of a remote address, as node:net names it; "" where there is none, as of a connection that has gone. */
export function addressKey(address: string | undefined): string {
  if (address === undefined || address === LOOPBACK6 || !address.includes(":")) return address ?? "";
  const mapped = MAPPED.exec(address);
  if (mapped) return mapped[1]!;
  const [head = "", tail] = address.split("%", 1)[0]!.split("::");
  const first = head === "" ? [] : head.split(":");
  const last = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = tail === undefined ? 0 : GROUPS - first.length - last.length;
  const groups = [...first, ...Array<string>(Math.max(0, zeros)).fill("0"), ...last];
  return `${groups.slice(0, NETWORK_GROUPS).map((group) => parseInt(group, 16).toString(16)).join(":")}::/64`;
}

/** Whether the key is of an address that only this machine itself can call from. */
export function isLoopback(key: string): boolean {
  return key === LOOPBACK6 || key.startsWith("127.");
}

/**
 * The key of a caller at this address whose call a proxy passed on. Who is behind a proxy of this machine need not be
 * on this machine, whatever the proxy says: its key is not one of loopback.
 */
export function forwardedKey(key: string): string {
  return isLoopback(key) ? `forwarded ${key}` : key;
}

/** What one address may have of `max`, at least one. */
export function shareOf(max: number, share: number): number {
  return Math.max(1, Math.floor(max * share));
}

/** Places of which there are so many in all and so many for one address, so that nobody takes them all. */
export class AddressPlaces {
  readonly #perAddress = new Map<string, number>();
  #taken = 0;

  /**
   * @param max in all
   * @param share the part of them that one address may have, over 0 and up to 1
   */
  constructor(private readonly max: number, private readonly share: number) {}

  /** Takes a place. Returns the function that frees it, to be called once; undefined where there is none. */
  take(address: string): (() => void) | undefined {
    const own = this.#perAddress.get(address) ?? 0;
    if (this.#taken >= this.max || own >= shareOf(this.max, this.share)) return undefined;
    this.#taken++;
    this.#perAddress.set(address, own + 1);
    return () => {
      const taken = this.#perAddress.get(address);
      invariant(taken !== undefined, "a place of an address that has none was freed");
      this.#taken--;
      const left = taken - 1;
      if (left === 0) this.#perAddress.delete(address);
      else this.#perAddress.set(address, left);
    };
  }
}

const callerKey = createContextKey("", { description: "key of the caller's address" });

/** Context values of a call from the address with this {@link addressKey key}. */
export function callerValues(address: string): ContextValues {
  return createContextValues().set(callerKey, address);
}

/** The key of the caller's address; "" for a call that came over no listener. */
export function callerAddress(values: ContextValues): string {
  return values.get(callerKey);
}
