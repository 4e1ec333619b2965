/**
 * The remote addresses of one listener: what each has and did on all its connections, and for how long it is
 * remembered. A proxy of ours is one by itself, and each caller that it passes calls on for is another, which has
 * requests there and no connection.
 */
import type { IncomingHttpHeaders } from "node:http";
import { TokenBucket } from "../base/token_bucket.ts";
import { addressKey, forwardedKey, isLoopback } from "./addresses.ts";
import { isForwarded, type TrustedProxies } from "./trusted_proxies.ts";

/** Who made a request. */
export interface Caller {
  readonly peer: Peer;
  /** The key of the address, for handlers. */
  readonly address: string;
}

/** One remote address, and what it has and did on all its connections. */
export interface Peer {
  /** From `addresses.ts`; of a proxy of ours no address's. */
  readonly key: string;
  /**
   * The address of a proxy of ours, as node:net names it: it comes with the calls of many, to whom limits of an address
   * apply, and not to it.
   */
  readonly proxy: string | undefined;
  /** As the caller of what it has not passed on. */
  readonly itself: Caller;
  connections: number;
  /** In progress; a proxy of ours has none of its own. */
  requests: number;
  /** Bytes of answers that it has not read. */
  unreadBytes: number;
  /** Streams that may yet end in a reset; absent as long as none has. */
  resets: TokenBucket | undefined;
  /** Until when it is refused connections, or requests where they come through a proxy, by `performance.now()`. */
  barredUntil: number;
  /** Requests begun in this turn of the event loop, and which turn that is (`read_turns.ts`). */
  begun: number;
  turn: number;
}

/** Addresses that are remembered with nothing there, for their resets; of more the first are forgotten. */
const ADDRESSES_REMEMBERED_MAX = 10_000;

/** The addresses that have something here, or are remembered. */
export class Peers {
  readonly #byKey = new Map<string, Peer>();
  /** Of these, those that have nothing here and whose bucket is not full yet. */
  readonly #remembered = new Set<Peer>();

  constructor(private readonly proxies: TrustedProxies | undefined) {}

  /** Who a connection is from. It is kept once it is counted: {@link keep}. */
  ofSocket(remoteAddress: string | undefined): Peer {
    const proxy = this.proxies?.isProxy(remoteAddress) ? remoteAddress : undefined;
    return this.#of(proxy === undefined ? addressKey(remoteAddress) : `proxy ${proxy}`, proxy);
  }

  /** Who made a request that came with these fields on a connection of this peer. Kept as above. */
  callerOf(peer: Peer, fields: IncomingHttpHeaders): Caller {
    if (peer.proxy === undefined) {
      return isLoopback(peer.key) && isForwarded(fields) ? { peer, address: forwardedKey(peer.key) } : peer.itself;
    }
    const address = this.proxies!.callerKey(peer.proxy, fields);
    return { peer: this.#of(address, undefined), address };
  }

  /** Keeps a peer that has something here from now on. */
  keep(peer: Peer): void {
    this.#byKey.set(peer.key, peer);
    this.#remembered.delete(peer);
  }

  /** Forgets a peer that has nothing here any more; later where it has something to answer for. */
  leave(peer: Peer): void {
    if (peer.connections > 0 || peer.requests > 0 || this.#byKey.get(peer.key) !== peer) return;
    // Whoever comes anew for each reset is still the same.
    if (peer.resets === undefined) return void this.#byKey.delete(peer.key);
    this.#remembered.add(peer);
    if (this.#remembered.size <= ADDRESSES_REMEMBERED_MAX) return;
    const [first] = this.#remembered;
    this.#remembered.delete(first!);
    this.#byKey.delete(first!.key);
  }

  /** Forgets those that have nothing here and nothing to answer for any more. */
  forget(now: number): void {
    for (const peer of this.#remembered) {
      if (!peer.resets!.isFull(now) || now < peer.barredUntil) continue;
      this.#remembered.delete(peer);
      this.#byKey.delete(peer.key);
    }
  }

  #of(key: string, proxy: string | undefined): Peer {
    return this.#byKey.get(key) ?? newPeer(key, proxy);
  }
}

/** An address that has nothing here. */
export function newPeer(key: string, proxy?: string): Peer {
  const peer: Omit<Peer, "itself"> & { itself: Caller | undefined } = {
    key,
    proxy,
    itself: undefined,
    connections: 0,
    requests: 0,
    unreadBytes: 0,
    resets: undefined,
    barredUntil: 0,
    begun: 0,
    turn: 0,
  };
  const whole = peer as Peer;
  peer.itself = { peer: whole, address: key };
  return whole;
}
