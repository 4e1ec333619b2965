/**
 * Who may do what on a private Redis node: one user with a password, and nobody without one. The text goes to Redis by
 * its standard input, so that no command line, environment or file has what it takes to be let in.
 */
import { createHash } from "node:crypto";

/** The only user of a node under `lock`. */
export const REDIS_USER = "holdfast";

/** `lock`: what src/lock needs. `all`: also what tests and baselines do to a node. */
export type RedisRights = "lock" | "all";

/** The node has keys of the lock alone, and their prefix is a setting (LOCK_KEY_PREFIX). */
const LOCK_KEYS = ["~*"] as const;

/**
 * The commands of src/lock, those that its scripts call, and those of ioredis when it dials. None of them changes a
 * setting, stops the node, ends the connection of others or lists keys.
 */
const LOCK_COMMANDS = [
  "ping",
  "info",
  "select",
  "client|setname",
  "script|load",
  "evalsha",
  "eval",
  "exists",
  "set",
  "mget",
  "pexpire",
  "del",
] as const;

/** The rules of the lock's user, as Redis writes them, without its password. */
export const LOCK_RULES: readonly string[] = [
  ...LOCK_KEYS,
  "resetchannels",
  "-@all",
  ...LOCK_COMMANDS.map((name) => `+${name}`),
];

const ALL_RULES = ["~*", "&*", "+@all"] as const;

/** Lines for a node's configuration. Redis knows the password's hash only. */
export function redisUserLines(password: string, rights: RedisRights): string {
  const hash = createHash("sha256").update(password).digest("hex");
  if (rights === "all") return `user default reset on #${hash} ${ALL_RULES.join(" ")}\n`;
  return `user default reset off\nuser ${REDIS_USER} reset on #${hash} ${LOCK_RULES.join(" ")}\n`;
}

/** The name in a node's address. */
export function redisUserName(rights: RedisRights): string {
  return rights === "all" ? "default" : REDIS_USER;
}
