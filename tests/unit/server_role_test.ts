/** What an owner who may not change roles is asked to have run by hand. */
import { assertEquals, assertRejects } from "@std/assert";
import { parsePostgresAddress } from "../../src/config/postgres_address.ts";
import { ensureServerRole, roleSettings } from "../../src/migrate/role.ts";
import type { OpenSession } from "../../src/migrate/session.ts";
import { SILENT } from "../support/silent_log.ts";

/** A session on a PostgreSQL of this version where the role is missing, and may not be made. */
function refusing(version: number): OpenSession {
  const sql = ([text]: TemplateStringsArray) =>
    Promise.resolve(text!.includes("server_version_num") ? [{ version }] : []);
  const refused = () => Promise.reject(Object.assign(new Error("permission denied"), { code: "42501" }));
  return { sql: Object.assign(sql, { unsafe: refused }) } as unknown as OpenSession;
}

Deno.test("who may not change roles hears of all that the role needs on that PostgreSQL", async () => {
  const server = parsePostgresAddress("postgres://holdfast_server@localhost/shop");
  for (const version of [150_019, 170_000]) {
    const error = await assertRejects(() => ensureServerRole(refusing(version), server, SILENT), Error);
    const said = [...error.message.matchAll(/ set (\w+) = '([^']*)'/g)].map(([, name, value]) => [name, value]);
    assertEquals(Object.fromEntries(said), roleSettings(version));
  }
});
