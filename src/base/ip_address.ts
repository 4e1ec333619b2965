/**
 * Addresses of IPv4 and IPv6 as numbers, and networks of them (RFC 4291, RFC 4632). An IPv4 address is the same as its
 * mapped form in IPv6 (`::ffff:192.0.2.1`), however that is written. Pure.
 */
import { isIPv4, isIPv6 } from "node:net";

/** Eight groups of 16 bits; IPv4 in its mapped form. */
export type IpAddress = readonly number[];

/** All addresses that begin with the same `bits`, 0 to 128. */
export interface IpNetwork {
  readonly first: IpAddress;
  readonly bits: number;
}

const GROUPS = 8;
const GROUP_BITS = 16;
/** Bits in front of an IPv4 address in its mapped form. */
const MAPPED_BITS = 96;
const MAPPED: readonly number[] = [0, 0, 0, 0, 0, 0xffff];
/** The longest text of an address: IPv6 with an IPv4 address in it. */
const CHARACTERS_MAX = 45;

/** The address of this text; undefined where it is none, or has a zone (`fe80::1%eth0`). */
export function ipAddress(text: string): IpAddress | undefined {
  if (text.length > CHARACTERS_MAX) return undefined;
  if (isIPv4(text)) return [...MAPPED, ...groupsOfIPv4(text)];
  return isIPv6(text) && !text.includes("%") ? groupsOfIPv6(text) : undefined;
}

/**
 * The network of a text such as `10.0.0.0/8` or `2001:db8::/32`; of an address alone, the network that has only that.
 * Undefined where it is neither, or where bits behind the prefix are set, as then it is not clear what is meant.
 */
export function ipNetwork(text: string): IpNetwork | undefined {
  const [, address = "", prefix] = /^([^/]*)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const first = ipAddress(address);
  if (first === undefined) return undefined;
  const bitsBefore = isIPv4(address) ? MAPPED_BITS : 0;
  const bits = prefix === undefined ? GROUPS * GROUP_BITS : bitsBefore + Number(prefix);
  if (bits > GROUPS * GROUP_BITS || !first.every((group, i) => (group & ~maskOf(bits, i)) === 0)) return undefined;
  return { first, bits };
}

/** Whether the address is one of the network. */
export function isInNetwork(address: IpAddress, { first, bits }: IpNetwork): boolean {
  for (let i = 0; i * GROUP_BITS < bits; i++) {
    if (((address[i]! ^ first[i]!) & maskOf(bits, i)) !== 0) return false;
  }
  return true;
}

/** The text of an address: IPv4 with dots, `::1`, and others in IPv6 with all eight groups. */
export function ipText(address: IpAddress): string {
  if (MAPPED.every((group, i) => address[i] === group)) {
    const [high, low] = [address[6]!, address[7]!];
    return `${high >> 8}.${high & 0xff}.${low >> 8}.${low & 0xff}`;
  }
  if (address.every((group, i) => group === (i === GROUPS - 1 ? 1 : 0))) return "::1";
  return address.map((group) => group.toString(16)).join(":");
}

/** Which bits of this group belong to a prefix of so many. */
function maskOf(bits: number, group: number): number {
  const own = Math.max(0, Math.min(GROUP_BITS, bits - group * GROUP_BITS));
  return 0xffff & ~(0xffff >> own);
}

function groupsOfIPv4(text: string): number[] {
  const [a = 0, b = 0, c = 0, d = 0] = text.split(".").map(Number);
  return [a << 8 | b, c << 8 | d];
}

function groupsOfIPv6(text: string): number[] {
  const [head = "", tail] = text.split("::");
  const first = groupsOf(head);
  if (tail === undefined) return first;
  const last = groupsOf(tail);
  return [...first, ...Array<number>(GROUPS - first.length - last.length).fill(0), ...last];
}

function groupsOf(text: string): number[] {
  if (text === "") return [];
  return text.split(":").flatMap((group) => group.includes(".") ? groupsOfIPv4(group) : [parseInt(group, 16)]);
}
