/**
 * TLS to PostgreSQL, as the address asks for it: by the service and by migrate, with an authority of a company's own.
 */
import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { parsePostgresAddress, type PostgresAddress } from "../../src/config/postgres_address.ts";
import { ConfigError } from "../../src/config/config.ts";
import { readDatabaseCertificates } from "../../src/store/postgres/certificates.ts";
import { migrateAddresses } from "../../src/migrate/addresses.ts";
import { migrate } from "../../src/migrate/main.ts";
import { DatabaseUnavailableError, StatementTimeoutError } from "../../src/store/errors.ts";
import { openDatabaseAccess } from "../../src/store/postgres/access.ts";
import { Pool } from "../../src/store/postgres/pool.ts";
import { testEnvironment } from "../support/env.ts";
import { NEVER, TEST_LIMITS } from "../support/pool_probe.ts";
import { standInTheMiddle, startTlsPostgres, storePath, tlsPath } from "../support/tls_postgres.ts";
import { eventually } from "../support/eventually.ts";

const CA = `sslrootcert=${tlsPath("authority.pem")}`;
const OTHER_CA = `sslrootcert=${tlsPath("other_authority.pem")}`;
const OWN = `sslcert=${tlsPath("server_role.pem")}&sslkey=${tlsPath("server_role_key.pem")}`;
const LIMITS = { ...TEST_LIMITS, max: 1, connectTimeoutMs: 5000 };

interface Session {
  readonly ssl: boolean;
  readonly client_dn: string | null;
}

/** What PostgreSQL says of a session of the service's; the reasons, where there is none. */
async function sessionOf(given: string | PostgresAddress): Promise<Session | string> {
  const address = typeof given === "string" ? parsePostgresAddress(given) : given;
  const pool = new Pool({ ...LIMITS, address, certificates: readDatabaseCertificates(address) });
  try {
    const [row] = await pool.run<Session[]>(
      (sql) => sql`select ssl, client_dn from pg_stat_ssl where pid = pg_backend_pid()`,
      NEVER,
    );
    return { ssl: row!.ssl, client_dn: row!.client_dn };
  } catch (error) {
    assertInstanceOf(error, DatabaseUnavailableError);
    return reasons(error);
  } finally {
    await pool.close();
  }
}

function withoutQuery(url: string): string {
  return url.replace(/\?.*$/, "");
}

function reasons(error: unknown): string {
  return error instanceof Error ? `${error.message}; ${reasons(error.cause)}` : "";
}

/** What `migrate status` says under that address. */
async function status(given: string | PostgresAddress): Promise<string> {
  const address = typeof given === "string" ? parsePostgresAddress(given) : given;
  try {
    return await migrate({ owner: address, server: address, direction: "status", log: TEST_LIMITS.log });
  } catch (error) {
    return (error as Error).message;
  }
}

Deno.test("TLS to PostgreSQL is what the address says, for the service and for migrate", async (t) => {
  await using server = await startTlsPostgres();
  const at = (url: string, host: string, query: string, port = server.port) =>
    `${withoutQuery(url).replace(/@[^/]+/, `@${host}:${port}`)}?${query}`;
  const serving = (host: string, query: string, port?: number) => at(server.serverUrl("shop"), host, query, port);
  const owning = (host: string, query: string, port?: number) => at(server.ownerUrl("shop"), host, query, port);
  const UNDER_TLS = { ssl: true, client_dn: null };

  const TAKEN: [host: string, query: string, wanted: Session][] = [
    ["127.0.0.1", `sslmode=verify-full&${CA}`, UNDER_TLS],
    ["localhost", `sslmode=verify-ca&${CA}`, UNDER_TLS],
    ["localhost", `sslmode=require&${CA}`, UNDER_TLS],
    ["127.0.0.1", "sslmode=require", UNDER_TLS],
    ["127.0.0.1", "ssl=true", UNDER_TLS],
    ["127.0.0.1", "sslmode=prefer", UNDER_TLS],
    ["127.0.0.1", "sslmode=allow", UNDER_TLS],
    ["127.0.0.1", "", { ssl: false, client_dn: null }],
    ["127.0.0.1", "sslmode=disable", { ssl: false, client_dn: null }],
    ["127.0.0.1", "sslmode=require&channel_binding=require", UNDER_TLS],
    ["127.0.0.1", `sslmode=verify-full&${CA}&channel_binding=require`, UNDER_TLS],
    ["127.0.0.1", `sslmode=require&${OWN}`, { ssl: true, client_dn: "/CN=holdfast_server" }],
  ];
  for (const [host, query, wanted] of TAKEN) {
    const name = query.replaceAll(/[^=&]*\//g, "");
    await t.step(`${host}, ${name}`, async () => {
      assertEquals(await sessionOf(serving(host, query)), wanted);
      const said = await status(owning(host, query));
      assert(/Applied: [1-9]/.test(said), said);
    });
  }

  const REFUSED: [host: string, query: string, why: RegExp][] = [
    ["127.0.0.1", `sslmode=verify-full&${OTHER_CA}`, /TLS was not taken.*certificate/],
    ["localhost", `sslmode=verify-full&${CA}`, /TLS was not taken.*altnames/],
    ["127.0.0.1", `sslmode=verify-ca&${OTHER_CA}`, /TLS was not taken.*certificate/],
    ["127.0.0.1", `sslmode=require&${OTHER_CA}`, /TLS was not taken.*certificate/],
    ["127.0.0.1", "sslmode=verify-full", /TLS was not taken.*certificate/],
    ["127.0.0.1", "sslrootcert=system", /TLS was not taken.*certificate/],
  ];
  for (const [host, query, why] of REFUSED) {
    await t.step(`${host}, ${query.replaceAll(/[^=&]*\//g, "")} is refused`, async () => {
      const [served, migrated] = [await sessionOf(serving(host, query)), await status(owning(host, query))];
      assert(typeof served === "string" && why.test(served), JSON.stringify(served));
      assert(/TLS was not taken|certificate/.test(migrated) && !migrated.includes("Applied"), migrated);
    });
  }

  await t.step(
    "an authority by DATABASE_TLS_CA_FILE; a certificate with another name, or out of its time",
    async () => {
      const DATABASE_TLS_CA_FILE = storePath("authority.pem");
      const read = (url: string, setting: string) =>
        migrateAddresses((name) => ({ [setting]: url, DATABASE_TLS_CA_FILE })[name]).owner;
      /** What both come to, the service and migrate. */
      const both = async (host: string, query = "") => {
        const owner = read(owning(host, query), "DATABASE_OWNER_URL");
        const said = await status(owner);
        return [
          await sessionOf(read(serving(host, query), "DATABASE_URL")),
          /Applied: [1-9]/.test(said) ? "applied" : said,
        ];
      };
      await server.present("server.pem");
      await eventually(async () => (await both("localhost"))[1] === "applied", "the certificate is shown");
      for (const host of ["127.0.0.1", "localhost"]) assertEquals(await both(host), [UNDER_TLS, "applied"]);
      const wrong: [certificate: "other_name.pem" | "expired.pem", query: string, why: RegExp][] = [
        ["other_name.pem", "", /TLS was not taken: .*altnames/],
        ["expired.pem", "sslmode=verify-ca", /TLS was not taken: .*out of its time/],
      ];
      for (const [certificate, query, why] of wrong) {
        await server.present(certificate);
        await eventually(async () => typeof (await both("localhost", query))[0] === "string", "it is refused");
        for (const host of ["127.0.0.1", "localhost"]) {
          const [served, migrated] = await both(host, query);
          assert(typeof served === "string" && why.test(served), `${host}: ${JSON.stringify(served)}`);
          assert(why.test(String(migrated)), `${host}: ${migrated}`);
        }
      }
      await server.present("other_name.pem");
      await eventually(
        async () => (await both("localhost", "sslmode=verify-ca"))[1] === "applied",
        "any name is taken",
      );
      await server.present("server.pem");

      // The file of the authority is replaced while a pool is there.
      const dir = await Deno.makeTempDir();
      const path = `${dir}/ca.pem`;
      await Deno.copyFile(tlsPath("other_authority.pem"), path);
      const { server: address } = migrateAddresses((name) =>
        ({ DATABASE_URL: serving("localhost", ""), DATABASE_TLS_CA_FILE: path })[name]
      );
      const access = openDatabaseAccess(address, undefined, TEST_LIMITS.log);
      const pool = new Pool({ ...LIMITS, ...access.current, access });
      const answers = () => pool.run((sql) => sql`select 1`, NEVER);
      await eventually(async () => {
        const why = reasons(await answers().catch((error) => error));
        return why.includes("its authority is not trusted");
      }, "it is refused");
      await Deno.copyFile(storePath("authority.pem"), path);
      await eventually(() => answers().then(() => true, () => false), "it is taken up");
      await pool.close();
      await Deno.remove(dir, { recursive: true });
      await server.present("database");
    },
  );

  await t.step("a statement under TLS is cancelled when its caller leaves", async () => {
    const address = parsePostgresAddress(serving("127.0.0.1", "sslmode=require&channel_binding=require"));
    const pool = new Pool({ ...LIMITS, address });
    await pool.run((sql) => sql`select 1`, NEVER);
    const caller = new AbortController();
    const left = pool.run((sql) => sql`select pg_sleep(30)`, caller.signal).catch((error) => error);
    const other = new Pool({ ...LIMITS, address });
    await eventually(async () => {
      const [row] = await other.run<{ asleep: number }[]>(
        (sql) => sql`select count(*)::int as asleep from pg_stat_activity where wait_event = 'PgSleep'`,
        NEVER,
      );
      return row?.asleep === 1;
    }, "the statement runs");
    caller.abort();
    assertInstanceOf(await left, StatementTimeoutError);
    await Promise.all([pool.close(), other.close()]);
  });

  await t.step("who stands in between is found out by the binding, and by nothing else", async () => {
    await using middle = await standInTheMiddle(server.port);
    const query = (binding: string) => `sslmode=require&channel_binding=${binding}`;
    assertEquals(await sessionOf(serving("127.0.0.1", query("disable"), middle.port)), UNDER_TLS);
    const refused = await sessionOf(serving("127.0.0.1", query("require"), middle.port));
    assert(typeof refused === "string" && /28000|28P01|08P01|channel binding/.test(refused), JSON.stringify(refused));
    const opened = middle.opened;
    const said = await status(owning("127.0.0.1", query("require"), middle.port));
    assert(!said.includes("Applied"), said);
    assertEquals(middle.opened, opened + 1, "dbmate was sent to him");
  });

  await t.step("who comes in between later is found out by dbmate, which has seen our certificate", async () => {
    await using middle = await standInTheMiddle(server.port, { spared: 1 });
    const said = await status(owning("127.0.0.1", "sslmode=require&channel_binding=require", middle.port));
    assert(/certificate/.test(said) && !said.includes("Applied"), said);
    assertEquals(middle.opened > 1, true, "dbmate did not dial");
  });

  await t.step("TLS without a question first, as proxies before PostgreSQL take it", async () => {
    await using middle = await standInTheMiddle(server.port, { direct: true });
    const session = await sessionOf(serving("127.0.0.1", "sslmode=require&sslnegotiation=direct", middle.port));
    assertEquals(session, UNDER_TLS);
  });
});

Deno.test("a server without TLS is refused where TLS is asked for, and taken where it is preferred", async () => {
  const url = withoutQuery(testEnvironment().databaseServerUrl);
  const CLEAR = { ssl: false, client_dn: null };
  for (const mode of ["disable", "allow", "prefer"]) assertEquals(await sessionOf(`${url}?sslmode=${mode}`), CLEAR);
  for (const mode of ["require", "verify-ca", "verify-full"]) {
    const refused = await sessionOf(`${url}?sslmode=${mode}`);
    assert(
      typeof refused === "string" && refused.includes(`offers no TLS, and sslmode is ${mode}`),
      `${mode}: ${refused}`,
    );
  }
});

Deno.test("files of an address that can't be used are named by their parameter, and not by their path", () => {
  const rows: [query: string, problem: string][] = [
    ["sslrootcert=/not/there.pem", "DATABASE_URL: sslrootcert: there is no such file"],
    [`sslrootcert=${tlsPath("key.pem")}`, "DATABASE_URL: sslrootcert: expected certificates as PEM in the file"],
    [
      `sslcert=${tlsPath("authority.pem")}&sslkey=${tlsPath("authority.pem")}`,
      "DATABASE_URL: sslkey: expected a key without a password as PEM in the file",
    ],
  ];
  for (const [query, problem] of rows) {
    const address = parsePostgresAddress(`postgres://u@localhost/d?sslmode=require&${query}`);
    try {
      readDatabaseCertificates(address);
      throw new Error(`taken: ${query}`);
    } catch (error) {
      assertInstanceOf(error, ConfigError);
      assertEquals(error.problems, [problem]);
    }
  }
});
