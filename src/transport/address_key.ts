/**
 * Whose an address is, as far as limits by address are concerned: an IPv4 address is one party, and in IPv6 everything in one
 * network of 64 bits is, which is the least that a site is given (RFC 6177) and all of which one machine can use.
 */

const GROUPS = 8;
const NETWORK_GROUPS = 4;
/** IPv4 as an IPv6 socket names it (RFC 4291, section 2.5.5.2). */
const MAPPED = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;

/** The key of a remote address, as node:net names it; "" where there is none, as of a connection that has gone. */
export function addressKey(address: string | undefined): string {
  if (address === undefined || !address.includes(":")) return address ?? "";
  const mapped = MAPPED.exec(address);
  if (mapped) return mapped[1]!;
  const [head = "", tail] = address.split("%", 1)[0]!.split("::");
  const first = head === "" ? [] : head.split(":");
  const last = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = tail === undefined ? 0 : GROUPS - first.length - last.length;
  const groups = [...first, ...Array<string>(Math.max(0, zeros)).fill("0"), ...last];
  return `${groups.slice(0, NETWORK_GROUPS).map((group) => parseInt(group, 16).toString(16)).join(":")}::/64`;
}
