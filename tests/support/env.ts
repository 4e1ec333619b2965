/** What the tests learn from `deno task test` about the servers that it started for them. */
import { basename } from "node:path";
import type { RedisProgram } from "../../tools/stack/programs.ts";

/** The servers of this run. The addresses lead to the database `postgres`; see database.ts for one of a test's own. */
export interface TestEnvironment {
  /** Superuser. */
  readonly databaseOwnerUrl: string;
  /** The role `holdfast_server`. */
  readonly databaseServerUrl: string;
  /** Where databases are made: tools/test/database_maker.ts. */
  readonly databaseMaker: string;
  /** Five nodes that no test has at the same time; one that stops or pauses nodes starts its own. */
  readonly redisUrls: readonly string[];
  /** Directory of `initdb` and `postgres`. */
  readonly postgresBin: string;
  /** Files of a PostgreSQL that has the migrated template; see own_postgres.ts. */
  readonly postgresCopy: string;
  /** `redis-server`, or `docker` where Redis runs in containers; for `startRedisNode` and its like. */
  readonly redisProgram: RedisProgram;
  /** Path of `buf`. */
  readonly buf: string;
  /** What the task `start` has LD_PRELOAD be: "" for nothing. */
  readonly allocator: string;
}

/**
 * Reads the TEST_* variables.
 *
 * @throws Error that names the missing variable, when the test was not started by `deno task test`
 */
export function testEnvironment(): TestEnvironment {
  return {
    databaseOwnerUrl: required("TEST_DATABASE_OWNER_URL"),
    databaseServerUrl: required("TEST_DATABASE_SERVER_URL"),
    databaseMaker: required("TEST_DATABASE_MAKER"),
    redisUrls: required("TEST_REDIS_URLS").split(","),
    postgresBin: required("TEST_POSTGRES_BIN"),
    postgresCopy: required("TEST_POSTGRES_COPY"),
    redisProgram: redisProgram(required("TEST_REDIS_SERVER")),
    buf: required("TEST_BUF"),
    allocator: required("TEST_ALLOCATOR", "may be nothing"),
  };
}

/** The same address, user and password, on another port, such as one of a link to the server. */
export function atPort(url: string, port: number): string {
  const moved = new URL(url);
  moved.port = String(port);
  return moved.href;
}

function redisProgram(path: string): RedisProgram {
  return { kind: basename(path) === "docker" ? "docker" : "program", path };
}

function required(name: string, mayBeNothing?: "may be nothing"): string {
  const value = Deno.env.get(name);
  if (value !== undefined && (value !== "" || mayBeNothing !== undefined)) return value;
  throw new Error(`${name} is not set: run this test with \`deno task test -- <its path>\`, which starts the servers`);
}
