/** A small file system for PostgreSQL's tables, which can be filled up. Where the system gives none, there is none. */
import { join } from "node:path";
import postgres from "postgres";
import { databaseUser } from "../../../tools/stack/system_user.ts";

const DISK_MIB = 1024;
const TABLESPACE = "suite_disk";
const CHUNK_BYTES = 1024 * 1024;

/** The file system, in memory. */
export class DataDisk {
  readonly #dir: string;

  private constructor(dir: string) {
    this.#dir = dir;
  }

  /** Mounts it; undefined where that is not allowed. */
  static async mount(dir: string): Promise<DataDisk | undefined> {
    await Deno.mkdir(dir);
    if (!await run("mount", "-t", "tmpfs", "-o", `size=${DISK_MIB}m`, "tmpfs", dir)) return undefined;
    return new DataDisk(dir);
  }

  /** Makes it a tablespace of the server. */
  async makeTablespace(ownerUrl: string): Promise<void> {
    const user = databaseUser();
    const tables = join(this.#dir, "tables");
    await Deno.mkdir(tables);
    if (user !== undefined) await Deno.chown(tables, user.uid, user.gid);
    await asOwner(ownerUrl, `create tablespace ${TABLESPACE} location '${tables}'`);
  }

  /** Moves a database to it that nobody is connected to. */
  async move(ownerUrl: string, database: string): Promise<void> {
    await asOwner(ownerUrl, `alter database "${database}" set tablespace ${TABLESPACE}`);
  }

  /** Takes all that is left of it. */
  async fill(): Promise<void> {
    using file = await Deno.open(this.#ballast, { write: true, create: true, append: true });
    const chunk = new Uint8Array(CHUNK_BYTES);
    try {
      for (let mib = 0; mib < DISK_MIB; mib++) await file.write(chunk);
    } catch {
      // It is full.
    }
  }

  /** Gives it back. */
  async empty(): Promise<void> {
    await Deno.remove(this.#ballast).catch(() => {});
  }

  async unmount(): Promise<void> {
    if (!await run("umount", this.#dir)) console.error(`${this.#dir} could not be unmounted`);
  }

  get #ballast(): string {
    return join(this.#dir, "ballast");
  }
}

async function run(program: string, ...args: string[]): Promise<boolean> {
  try {
    const { success } = await new Deno.Command(program, { args, stdout: "null", stderr: "null" }).output();
    return success;
  } catch {
    // Not there, or not granted to this run.
    return false;
  }
}

async function asOwner(url: string, statement: string): Promise<void> {
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  try {
    await sql.unsafe(statement);
  } finally {
    await sql.end();
  }
}
