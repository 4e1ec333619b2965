/**
 * PostgreSQL servers that follow each other, with nobody who leads them: a drill kills, promotes and cuts by its own
 * hand. Each standby reads the log through a link of its own, which can be cut.
 */
import { join } from "node:path";
import postgres from "postgres";
import { until } from "../../../src/base/bounded_wait.ts";
import { parsePostgresAddress } from "../../../src/config/postgres_address.ts";
import { migrate } from "../../../src/migrate/main.ts";
import { SERVER_ENVIRONMENT } from "../../../src/process/child_environment.ts";
import { createLog } from "../../../src/telemetry/create_log.ts";
import { type PrivatePostgres, startPostgres } from "../../../tools/stack/postgres.ts";
import { giveDirectory, postgresPlace } from "../../../tools/stack/postgres_place.ts";
import { databaseUser } from "../../../tools/stack/system_user.ts";
import { testEnvironment } from "../../support/env.ts";
import { pageBlock } from "./page.ts";
import { startProxy, type TcpProxy } from "../../support/tcp_proxy.ts";

const DATABASE = "stock";
const WAIT_MS_MAX = 30_000;

/** One of the servers. */
export interface Member {
  readonly name: string;
  readonly server: PrivatePostgres;
  /** The superuser's connection to it. */
  readonly owner: postgres.Sql;
}

/** The servers. `await using` stops them, and removes what they left. */
export class Cluster implements AsyncDisposable {
  readonly database = DATABASE;
  readonly #dir: string;
  readonly #members = new Map<string, Member>();
  readonly #links = new Map<string, TcpProxy>();

  private constructor(dir: string) {
    this.#dir = dir;
  }

  /** Starts the first server, with a database that has the whole schema and no rows. */
  static async start(name: string): Promise<Cluster> {
    const dir = await Deno.makeTempDir({ prefix: "cluster-" });
    // PostgreSQL runs as another user when we are root, and must get through to its data.
    await Deno.chmod(dir, 0o755);
    const cluster = new Cluster(dir);
    const { server } = await cluster.#open(name);
    await server.createDatabase(DATABASE);
    await migrate({
      owner: parsePostgresAddress(server.ownerUrl(DATABASE)),
      server: parsePostgresAddress(server.serverUrl(DATABASE)),
      direction: "up",
      log: LOG,
    });
    return cluster;
  }

  member(name: string): Member {
    const member = this.#members.get(name);
    if (member === undefined) throw new Error(`the cluster has no ${name}`);
    return member;
  }

  /** Makes `name` a standby of `primary`, anew where it was something else before; its data is then gone. */
  async follow(name: string, primary: string): Promise<void> {
    const user = databaseUser();
    const place = await postgresPlace(join(this.#dir, name), user);
    const { server } = this.member(primary);
    for (const whose of ["owner_password", "server_password"]) {
      await Deno.copyFile(join(this.#dir, primary, "private", whose), join(place.private, whose));
    }
    await this.#links.get(name)?.[Symbol.asyncDispose]();
    const link = startProxy(server.port);
    this.#links.set(name, link);
    await Deno.remove(place.data, { recursive: true }).catch(() => {});
    await giveDirectory(place.data, user);
    const { username, password } = new URL(server.ownerUrl("postgres"));
    const line = await pageBlock("standby", {
      "OWNER@10.0.0.1:5432": `${username}:${password}@127.0.0.1:${link.port}`,
      "application_name=standby": `application_name=${name}`,
      "/var/lib/postgresql/15/main": place.data,
    });
    const [program = "", ...args] = line.trim().split(" ").map((word) => word.replaceAll('"', ""));
    const backup = new Deno.Command(join(testEnvironment().postgresBin, program), {
      args: [...args, "--no-sync"],
      cwd: place.data,
      env: SERVER_ENVIRONMENT,
      clearEnv: true,
      stdin: "null",
      ...(user === undefined ? {} : { uid: user.uid, gid: user.gid }),
    });
    const { success, stderr } = await backup.output();
    if (!success) throw new Error(`pg_basebackup of ${primary} failed: ${new TextDecoder().decode(stderr)}`);
    const known = this.#members.get(name);
    if (known === undefined) await this.#open(name);
    else await known.server.start();
    await this.#eventually(`${name} follows ${primary}`, async () => await this.#isFollowed(primary, name));
  }

  /** From now on no commit of `primary` is answered before `standby` has it. */
  async waitFor(standby: string, primary: string): Promise<void> {
    const { owner } = this.member(primary);
    for (const statement of (await pageBlock("synchronous", { "'standby'": `'${standby}'` })).split(";")) {
      await owner.unsafe(statement);
    }
    await this.#eventually(
      `${standby} is synchronous`,
      async () => (await owner`select from pg_stat_replication where sync_state = 'sync'`).length === 1,
    );
  }

  /** No more of the log comes to the standby. */
  cut(standby: string): void {
    const link = this.#links.get(standby);
    link?.refuse();
    link?.cut();
  }

  /** SIGKILL to the postmaster. */
  async kill(name: string): Promise<void> {
    await this.member(name).server.kill();
  }

  /** Resolves when it takes writes. */
  async promote(name: string): Promise<void> {
    const [row] = await this.member(name).owner.unsafe<{ pg_promote: boolean }[]>(await pageBlock("promote"));
    if (row?.pg_promote !== true) throw new Error(`${name} could not be promoted`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { owner, server } of this.#members.values()) {
      await owner.end({ timeout: 1 });
      await server.stop("immediate");
    }
    for (const link of this.#links.values()) await link[Symbol.asyncDispose]();
    await Deno.remove(this.#dir, { recursive: true });
  }

  async #open(name: string): Promise<Member> {
    const binDir = testEnvironment().postgresBin;
    const server = await startPostgres({ dir: join(this.#dir, name), binDir, fsync: false, log: LOG });
    const owner = postgres(server.ownerUrl(DATABASE), { max: 1, onnotice: () => {} });
    const member = { name, server, owner };
    this.#members.set(name, member);
    return member;
  }

  async #isFollowed(primary: string, standby: string): Promise<boolean> {
    const rows = await this.member(primary).owner`
      select from pg_stat_replication where application_name = ${standby} and state = 'streaming'`;
    return rows.length === 1;
  }

  async #eventually(what: string, condition: () => Promise<boolean>): Promise<void> {
    if (!await until(condition, WAIT_MS_MAX)) throw new Error(`it did not come true within ${WAIT_MS_MAX} ms: ${what}`);
  }
}

const LOG = createLog("error", "pretty");
