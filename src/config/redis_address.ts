/**
 * The address of a Redis, as its own tools write it: `redis://[[user]:password@]host[:port][/database]`, or `rediss://`
 * for TLS. Pure.
 */
import {
  AddressError,
  addressParts,
  cutAt,
  hostAndPort,
  hostText,
  isHostName,
  percentDecoded,
  portNumber,
  triedInto,
} from "./address_text.ts";

/** Where a Redis is, and who asks it. */
export interface RedisAddress {
  /** A name in lower case or an address, without brackets. */
  readonly host: string;
  readonly port: number;
  /** Undefined: the default user. */
  readonly user: string | undefined;
  /** Undefined: it is not asked to let anybody in. */
  readonly password: string | undefined;
  /** Number of the database. */
  readonly database: number;
  readonly tls: boolean;
}

const PORT = 6379;
const EXPECTED = "expected an address such as redis://user:password@host:6379 or rediss://host:6379/0";
const DATABASE_MAX = 65_535;

/** Reads an address. Throws AddressError with every problem, none of which repeats a part of it. */
export function parseRedisAddress(text: string): RedisAddress {
  const [, scheme, rest] = /^(rediss?):\/\/(.*)$/is.exec(text.trim()) ?? [];
  if (scheme === undefined || rest === undefined) throw new AddressError([EXPECTED]);
  const { userInfo, authority, path, query } = addressParts(rest);
  const problems: string[] = [];
  const tried = triedInto(problems);
  const who = tried(() => userAndPassword(userInfo));
  const host = hostText(authority);
  const port = host?.port ? portNumber(host.port) : PORT;
  if (host === undefined || !isHostName(host.name)) {
    problems.push("the host is no name, nor an address (an IPv6 one in brackets)");
  }
  if (port === undefined) problems.push("the port is no number from 1 to 65535");
  const database = path === undefined || path === "" ? 0 : Number(/^\d{1,5}$/.exec(path)?.[0] ?? NaN);
  if (!(database <= DATABASE_MAX)) problems.push("what follows the host is no number of a database, such as /0");
  if (query !== undefined) problems.push(parameterProblem(query, problems.length > 0));
  if (problems.length > 0 || host === undefined || port === undefined) throw new AddressError(problems);
  return {
    host: host.name.toLowerCase(),
    port,
    user: who?.user,
    password: who?.password,
    database,
    tls: scheme.toLowerCase() === "rediss",
  };
}

/** Where it is, as anybody may know it: `host:port`, and the database where it is not the first. */
export function redisAddressText({ host, port, database }: RedisAddress): string {
  return `${hostAndPort(host, port)}${database === 0 ? "" : `/${database}`}`;
}

/** Like `redis-cli -u`, which takes what stands alone for the password. */
function userAndPassword(userInfo: string | undefined): { user: string | undefined; password: string | undefined } {
  if (userInfo === undefined) return { user: undefined, password: undefined };
  const [first, second] = cutAt(userInfo, ":");
  const user = second === undefined ? "" : percentDecoded(first, "the user");
  const password = percentDecoded(second ?? first, "the password");
  if (user !== "" && password === "") throw new AddressError(["a user without a password: expected user:password"]);
  return {
    user: user === "" || user === "default" ? undefined : user,
    password: password === "" ? undefined : password,
  };
}

/** A name is repeated where it can be nothing else. */
function parameterProblem(query: string, isDoubtful: boolean): string {
  const name = isDoubtful ? undefined : /^([A-Za-z_]{1,40})=/.exec(query)?.[1];
  return `${name === undefined ? "parameters" : `the parameter ${name}`} can't be given in the address of a Redis`;
}
