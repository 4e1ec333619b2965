/**
 * Addresses that are read anew from their files while the program runs: who logs in may be another one then. Where that
 * is stays as it was at the start, since what the process may talk to was settled there.
 */
import { readSmallFile } from "../base/small_file.ts";
import { AddressError } from "./address_text.ts";
import { eachOf, splitList } from "./lists.ts";
import { parsePostgresAddress, type PostgresAddress } from "./postgres_address.ts";
import { parseRedisAddress, type RedisAddress } from "./redis_address.ts";
import { secretOf } from "./secret_files.ts";
import { SERVER_ROLE } from "./settings.ts";

/** The address with user and password as the file has them now. Rejects with an Error that names what is wrong. */
export async function rereadDatabase(path: string, address: PostgresAddress): Promise<PostgresAddress> {
  const found = await rereadFrom("DATABASE_URL_FILE", path, (text) => parsePostgresAddress(text, SERVER_ROLE));
  const { user, password } = found;
  const { tls } = address.tls.isSet ? address : found;
  assertSame("DATABASE_URL_FILE", { ...found, tls, user: "", password: "" }, { ...address, user: "", password: "" });
  return { ...address, user, password };
}

/** The same of all nodes. */
export async function rereadNodes(path: string, nodes: readonly RedisAddress[]): Promise<readonly RedisAddress[]> {
  const found = await rereadFrom("REDIS_URLS_FILE", path, (text) => eachOf(splitList(text), parseRedisAddress));
  const anybody = (all: readonly RedisAddress[]) => all.map((node) => ({ ...node, user: "", password: "" }));
  assertSame("REDIS_URLS_FILE", anybody(found), anybody(nodes));
  return found;
}

async function rereadFrom<T>(name: string, path: string, parse: (text: string) => T): Promise<T> {
  try {
    return parse(secretOf(await readSmallFile(path)));
  } catch (error) {
    const said = error instanceof AddressError ? `in the file: ${error.message}` : (error as Error).message;
    throw new Error(`${name}: ${said}`);
  }
}

function assertSame(name: string, found: unknown, before: unknown): void {
  if (JSON.stringify(found) === JSON.stringify(before)) return;
  throw new Error(`${name}: in the file: more has changed than users and passwords, which takes a restart`);
}
