/** A role in PostgreSQL that is a test's own, to have its password replaced, and the file of its address. */
import { ownerOf, type TestDatabase } from "./database.ts";

/** A role of a test's own beside the server's, whose address stands in a file. `await using` drops it. */
export interface Role extends AsyncDisposable {
  readonly name: string;
  readonly file: string;
  /** What PostgreSQL takes from now on, and nobody is logged in any more; undefined: it lets the role in no more. */
  change(password: string | undefined): Promise<void>;
  /** What stands in the file from now on; `before`: hosts in front of its own. */
  write(password: string, more?: { readonly host?: string; readonly before?: string }): Promise<void>;
}

/** Makes one that may do what the server may, and no password yet. */
export async function newRole(database: TestDatabase): Promise<Role> {
  const name = `role_${crypto.randomUUID().replaceAll("-", "")}`;
  const owner = ownerOf(database.ownerUrl);
  const dir = await Deno.makeTempDir();
  const file = `${dir}/url`;
  await owner.sql.unsafe(`create role ${name} login in role holdfast_server`);
  return {
    name,
    file,
    async change(password) {
      await owner.sql.unsafe(
        `alter role ${name} ${password === undefined ? "nologin" : `login password '${password}'`}`,
      );
      await owner.sql`select pg_terminate_backend(pid, 5000) from pg_stat_activity where usename = ${name}`;
    },
    async write(password, { host = "127.0.0.1", before = "" } = {}) {
      const url = new URL(database.serverUrl);
      Object.assign(url, { username: name, password, hostname: host, search: "" });
      // As tools that renew secrets do it: at one moment.
      await Deno.writeTextFile(`${file}.new`, `${url.href.replace("@", `@${before}`)}\n`);
      await Deno.rename(`${file}.new`, file);
    },
    async [Symbol.asyncDispose]() {
      await owner.sql.unsafe(`drop role ${name}`);
      await owner[Symbol.asyncDispose]();
      await Deno.remove(dir, { recursive: true });
    },
  };
}
