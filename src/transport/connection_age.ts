/**
 * How old connections get. A peer whose connection has lasted is asked to make another, which finds the processes that
 * are there by then: one connection has all calls of a client, and would stay with the process that it once found.
 *
 *     served   --it is old enough--> leaving    HTTP/2: GOAWAY that names no last stream, and a PING; streams end
 *     served   --it is old enough--> leaving    HTTP/1: the next answer says `connection: close`
 *     leaving  --the PING is answered--> closing    HTTP/2: GOAWAY with the last stream seen; no later one is begun
 *     leaving, closing --the last request has ended--> gone
 *     leaving, closing --requests, or the answer, took longer than they may--> cut
 *
 * That time begins when the last stream that stays (`leaving.ts`) does so no more.
 *
 * Between the two GOAWAYs the peer's streams are served that it opened before it heard of the first, all of which come
 * before the answer to the PING behind it: so no request is lost (RFC 9113, section 6.8). Pure.
 */
import type { ListenerLimits } from "./limits.ts";

/** The part of the age that chance takes, at the most: connections that began together don't end together. */
const JITTER = 0.1;

/** When a connection is asked to go that was accepted at `acceptedAt`; `random` is in [0, 1). */
export function leaveAt(acceptedAt: number, connectionAgeMsMax: number, random: number): number {
  return acceptedAt + connectionAgeMsMax * (1 - JITTER * random);
}

/** How far a connection is with its end. Times are of one clock, in ms. */
export interface AgeState {
  /** When it is to be asked. */
  readonly leaveAt: number;
  /** Since when it is asked; undefined: it is not. */
  readonly leavingSince: number | undefined;
  /** HTTP/2: the peer has heard of it. */
  readonly isHeard: boolean;
  /** HTTP/2: the last GOAWAY was sent. */
  readonly isClosing: boolean;
}

/** What is due at a pass over the connections; undefined: nothing. */
export type AgeStep = "leave" | "close" | "cut" | undefined;

/** The step that follows from the state at the time `now`. HTTP/1 knows the first alone. */
export function ageStep(
  { leaveAt, leavingSince, isHeard, isClosing }: AgeState,
  now: number,
  { leaveMsMax }: Pick<ListenerLimits, "leaveMsMax">,
): AgeStep {
  if (leavingSince === undefined) return now >= leaveAt ? "leave" : undefined;
  if (now - leavingSince > leaveMsMax) return "cut";
  return isHeard && !isClosing ? "close" : undefined;
}
