/**
 * What ioredis (6.0.0) makes of replies that it can't handle. It throws such an error again in a tick of its own, where
 * nobody knows which connection it came from, and which ends the process: one null reply too many does it. Here the
 * error goes to whoever watches that connection. A connection that nobody watches is left as it was.
 */
import type { Redis } from "ioredis";
import DataHandler from "ioredis/built/DataHandler.js";

/** What is reported of the replies on a connection. Neither may throw. */
export interface ReplyWatch {
  /** A whole reply has been read. */
  replied(): void;
  /** A reply could not be handled: from here on it is not certain which reply belongs to which question. */
  failed(error: unknown): void;
}

interface Dispatching {
  readonly redis: Redis;
}

const watches = new WeakMap<Redis, ReplyWatch>();
// As Deno imports a CommonJS module, its default export may be one step further in.
const { prototype } = ("default" in DataHandler ? DataHandler.default : DataHandler) as unknown as {
  prototype: { dispatch(this: Dispatching, handle: () => void): void };
};
const { dispatch } = prototype;
if (typeof dispatch !== "function") throw new Error("ioredis handles replies otherwise than this was written for");

prototype.dispatch = function (handle) {
  const watch = watches.get(this.redis);
  if (watch === undefined) return dispatch.call(this, handle);
  watch.replied();
  try {
    handle();
  } catch (error) {
    watch.failed(error);
  }
};

/** Has all replies on the connections of this client watched. */
export function watchReplies(redis: Redis, watch: ReplyWatch): void {
  watches.set(redis, watch);
}
