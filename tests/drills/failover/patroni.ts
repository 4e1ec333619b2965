/**
 * Three PostgreSQL under Patroni, one etcd, and HAProxy in front, all of them Debian's: as docs/high-availability.md
 * says it, with the files of deploy/patroni, but for addresses.
 */
import { delimiter, join } from "node:path";
import postgres from "postgres";
import { setTimeout as delay } from "node:timers/promises";
import { until } from "../../../src/base/bounded_wait.ts";
import { parsePostgresAddress } from "../../../src/config/postgres_address.ts";
import { migrate } from "../../../src/migrate/main.ts";
import { SERVER_ENVIRONMENT } from "../../../src/process/child_environment.ts";
import { createLog } from "../../../src/telemetry/create_log.ts";
import { freePorts } from "../../../tools/stack/ports.ts";
import { giveDirectory } from "../../../tools/stack/postgres_place.ts";
import { type ServerProcess, startServer } from "../../../tools/stack/server_process.ts";
import { databaseUser } from "../../../tools/stack/system_user.ts";
import { clientProgram } from "../../support/client_programs.ts";
import { testEnvironment } from "../../support/env.ts";
import { deployFile } from "./page.ts";

const MEMBERS = ["pg-1", "pg-2", "pg-3"] as const;
const DATABASE = "stock";
const START_MS_MAX = 120_000;
const STOP_MS_MAX = 30_000;
const LOOK_MS_MAX = 1000;
/** How often it is looked whether a member takes writes. */
const WATCH_MS = 25;

/** How a primary ends: with Patroni, as when its machine does; or alone. */
export type Kill = "node" | "postgres";

/** A member of the cluster. */
export interface Node {
  readonly name: string;
  readonly port: number;
  readonly restPort: number;
}

interface RunningNode extends Node {
  readonly dataDir: string;
  readonly env: Record<string, string>;
  readonly config: string;
  patroni: ServerProcess | undefined;
  /** The superuser's connection. */
  owner: postgres.Sql;
}

/** The cluster. `await using` stops it, and removes what it left. */
export class PatroniCluster implements AsyncDisposable {
  readonly #dir: string;
  readonly #passwords = { owner: secret(), server: secret(), replication: secret() };
  readonly #nodes: RunningNode[] = [];
  readonly #others: ServerProcess[] = [];
  /** All at once, so that no two are the same: none of these programs looks for another one. */
  readonly #ports = freePorts(3 + 2 * MEMBERS.length);
  readonly haproxyPort = this.#nextPort();

  private constructor(dir: string) {
    this.#dir = dir;
  }

  /** Starts it, with a database that has the whole schema and no rows. `isSynchronous`: false for the control arm. */
  static async start({ isSynchronous }: { readonly isSynchronous: boolean }): Promise<PatroniCluster> {
    const dir = await Deno.makeTempDir({ prefix: "patroni-" });
    await Deno.chmod(dir, 0o755);
    const cluster = new PatroniCluster(dir);
    try {
      await cluster.#start(isSynchronous);
    } catch (error) {
      await cluster[Symbol.asyncDispose]();
      throw error;
    }
    return cluster;
  }

  get nodes(): readonly Node[] {
    return this.#nodes;
  }

  /** Address for the superuser, of whichever member takes writes. */
  get ownerUrl(): string {
    return this.#url("postgres", this.#passwords.owner, this.#nodes.map(({ port }) => port), DATABASE);
  }

  /** Address for the service that leads to these ports. */
  serverUrl(ports: readonly number[]): string {
    return this.#url("holdfast_server", this.#passwords.server, ports, DATABASE);
  }

  /** Address for the superuser, of one member. */
  ownerUrlOf({ port }: Node): string {
    return this.#url("postgres", this.#passwords.owner, [port], DATABASE);
  }

  /** The member that takes writes; undefined: none does. */
  async primary(): Promise<Node | undefined> {
    const found = await Promise.all(this.#nodes.map((node) => this.#takesWrites(node)));
    return this.#nodes[found.indexOf(true)];
  }

  /**
   * Resolves when a commit on a member is answered, which may have to wait for its standby; with that moment, and the
   * last one at which there was no primary.
   */
  async nextPrimary(
    msMax: number,
  ): Promise<{ readonly node: Node; readonly atMs: number; readonly absentMs: number }> {
    const untilMs = performance.now() + msMax;
    let absentMs = performance.now();
    while (performance.now() < untilMs) {
      const lookedMs = performance.now();
      const node = await this.primary();
      const isCommitted = node !== undefined &&
        await (node as RunningNode).owner`select pg_logical_emit_message(true, 'drill', '')`.then(
          () => true,
          () => false,
        );
      if (node !== undefined && isCommitted) return { node, atMs: performance.now(), absentMs };
      if (node === undefined) absentMs = lookedMs;
      await delay(WATCH_MS);
    }
    throw new Error(`no member takes writes after ${msMax} ms`);
  }

  /** Resolves when all members are there again: a primary, and standbys that are where it is. */
  async whole(): Promise<Node> {
    let primary: Node | undefined;
    const isWhole = async () => {
      primary = await this.primary();
      if (primary === undefined) return false;
      const { owner } = primary as RunningNode;
      const rows = await owner`select from pg_stat_replication where state = 'streaming'`.catch(() => []);
      return rows.length === this.#nodes.length - 1;
    };
    if (!await until(isWhole, START_MS_MAX)) throw new Error(`the cluster does not become whole: ${this.#tails()}`);
    return primary!;
  }

  /** SIGKILL to the member's PostgreSQL, and to its Patroni. */
  async kill(node: Node, kill: Kill): Promise<void> {
    const running = node as RunningNode;
    if (kill === "node") {
      running.patroni?.signal("SIGKILL");
      running.patroni = undefined;
    }
    await signal("KILL", await postmasterOf(running));
    // What outlives the postmaster for a moment may still answer on a connection that is there.
    const { owner } = running;
    running.owner = this.#ownerOf(running.port);
    await owner.end({ timeout: 0 });
  }

  /** Starts what was killed with its Patroni. */
  bringBack(): void {
    for (const node of this.#nodes) node.patroni ??= this.#startPatroni(node);
  }

  /** Stops what reads the log on the standbys; what is answered ends it, so that they can be promoted. */
  async stopReceivers(): Promise<() => Promise<void>> {
    const pids = (await Promise.all(
      this.#nodes.map(({ owner }) => owner<{ pid: number }[]>`select pid from pg_stat_wal_receiver`.catch(() => [])),
    )).flat().map(({ pid }) => pid);
    for (const pid of pids) await signal("STOP", pid);
    return async () => {
      for (const pid of pids) await signal("KILL", pid);
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#nodes.map(async (node) => {
      await node.owner.end({ timeout: 1 });
      await node.patroni?.stop("SIGTERM", STOP_MS_MAX);
      const left = await postmasterOf(node).catch(() => undefined);
      if (left !== undefined) await signal("QUIT", left);
    }));
    for (const server of this.#others) await server.stop("SIGTERM", STOP_MS_MAX);
    await Deno.remove(this.#dir, { recursive: true }).catch(() => {});
  }

  async #start(isSynchronous: boolean): Promise<void> {
    const etcdPort = this.#nextPort();
    const peers = `http://127.0.0.1:${this.#nextPort()}`;
    const clients = `http://127.0.0.1:${etcdPort}`;
    const etcdDir = await this.#ownDir("etcd");
    this.#run("etcd", "etcd", [
      ...["--name", "one", "--data-dir", join(etcdDir, "data"), "--initial-cluster", `one=${peers}`],
      ...["--listen-client-urls", clients, "--advertise-client-urls", clients],
      ...["--listen-peer-urls", peers, "--initial-advertise-peer-urls", peers],
    ], join(etcdDir, "data"));
    for (const name of MEMBERS) this.#nodes.push(await this.#node(name, etcdPort, isSynchronous));
    for (const node of this.#nodes) node.patroni = this.#startPatroni(node);
    const { node } = await this.nextPrimary(START_MS_MAX).catch((error) => {
      throw new Error(`${error.message}: ${this.#tails()}`);
    });
    await this.whole();
    const owner = postgres(this.#url("postgres", this.#passwords.owner, [node.port], "postgres"), { max: 1 });
    await owner.unsafe(`create database ${DATABASE}`);
    await owner.end();
    await migrate({
      owner: parsePostgresAddress(this.ownerUrl),
      server: parsePostgresAddress(this.serverUrl(this.#nodes.map(({ port }) => port))),
      direction: "up",
      log: createLog("error", "pretty"),
    });
    await this.#startHaproxy();
  }

  #nextPort(): number {
    return this.#ports.pop()!;
  }

  async #node(name: string, etcdPort: number, isSynchronous: boolean): Promise<RunningNode> {
    const dir = await this.#ownDir(name);
    const [port, restPort] = [this.#nextPort(), this.#nextPort()];
    const at = (port: number) => `127.0.0.1:${port}`;
    const dataDir = join(dir, "data");
    const env = await deployFile("member.env", {
      "PATRONI_NAME=pg-1": `PATRONI_NAME=${name}`,
      "10.0.0.1:8008": at(restPort),
      "10.0.0.1:5432": at(port),
      "10.0.0.1:2379,10.0.0.2:2379,10.0.0.3:2379": at(etcdPort),
      "/var/lib/postgresql/15/holdfast": dataDir,
      "/usr/lib/postgresql/15/bin": testEnvironment().postgresBin,
      "/var/lib/postgresql/.holdfast_pgpass": join(dir, "pgpass"),
      "change-me-too": this.#passwords.replication,
      "=change-me\n": `=${this.#passwords.owner}\n`,
    });
    const variables = env.split("\n").filter((line) => /^\w+=/.test(line)).map((line) =>
      line.split(/=(.*)/).slice(0, 2)
    );
    const config = await this.#file(join(dir, "patroni.yml"), "patroni.yml", {
      "/run/postgresql": "''",
      ...(isSynchronous ? {} : { "synchronous_mode: true": "synchronous_mode: false" }),
    });
    return {
      name,
      port,
      restPort,
      dataDir,
      config,
      patroni: undefined,
      owner: this.#ownerOf(port),
      env: {
        ...SERVER_ENVIRONMENT,
        PATH: `${testEnvironment().postgresBin}${delimiter}/usr/bin${delimiter}/bin`,
        HOME: dir,
        ...Object.fromEntries(variables),
      },
    };
  }

  #startPatroni({ name, config, env }: RunningNode): ServerProcess {
    return this.#run(name, "patroni", [config], config, env);
  }

  async #startHaproxy(): Promise<void> {
    const dir = await this.#ownDir("haproxy");
    const changes = Object.fromEntries(this.#nodes.map(({ port, restPort }, i) => [
      `10.0.0.${i + 1}:5432 check port 8008`,
      `127.0.0.1:${port} check port ${restPort}`,
    ]));
    const config = await this.#file(join(dir, "haproxy.cfg"), "haproxy.cfg", {
      ...changes,
      "127.0.0.1:5000": `127.0.0.1:${this.haproxyPort}`,
    });
    this.#others.push(this.#run("haproxy", "haproxy", ["-db", "-f", config], config));
  }

  /** A program of others, as PostgreSQL's user. Its log is in the cluster's directory. */
  #run(name: string, program: string, args: readonly string[], mark: string, env = SERVER_ENVIRONMENT): ServerProcess {
    const server = startServer({
      name,
      program: clientProgram(program),
      args,
      dir: this.#dir,
      cwd: this.#dir,
      env,
      mark,
      user: databaseUser(),
    });
    if (program === "etcd") this.#others.push(server);
    return server;
  }

  async #ownDir(name: string): Promise<string> {
    const dir = join(this.#dir, name);
    await giveDirectory(dir, databaseUser());
    return dir;
  }

  /** A file of deploy/patroni with these texts replaced, for PostgreSQL's user alone. */
  async #file(path: string, name: string, changes: Readonly<Record<string, string>>): Promise<string> {
    const text = await deployFile(name, changes);
    const user = databaseUser();
    await Deno.writeTextFile(path, text, { mode: 0o600 });
    if (user !== undefined) await Deno.chown(path, user.uid, user.gid);
    return path;
  }

  async #takesWrites(node: RunningNode): Promise<boolean> {
    const asked = node.owner<{ standby: boolean }[]>`select pg_is_in_recovery() as standby`
      .then(([row]) => row?.standby === false, () => false);
    const late = new Promise<false>((resolve) => setTimeout(() => resolve(false), LOOK_MS_MAX));
    return await Promise.race([asked, late]);
  }

  #ownerOf(port: number): postgres.Sql {
    return postgres(this.#url("postgres", this.#passwords.owner, [port], "postgres"), {
      max: 1,
      connect_timeout: LOOK_MS_MAX / 1000,
      onnotice: () => {},
    });
  }

  #url(user: string, password: string, ports: readonly number[], database: string): string {
    const hosts = ports.map((port) => `127.0.0.1:${port}`).join(",");
    const several = ports.length > 1 ? "&target_session_attrs=primary" : "";
    return `postgres://${user}:${password}@${hosts}/${database}?sslmode=disable${several}`;
  }

  #tails(): string {
    return this.#nodes.map(({ name, patroni }) => `${name}: ${patroni?.tail().slice(-400)}`).join("\n");
  }
}

async function postmasterOf({ dataDir }: RunningNode): Promise<number> {
  const [pid] = (await Deno.readTextFile(join(dataDir, "postmaster.pid"))).split("\n");
  return Number(pid);
}

/** To processes that are not our own children: Patroni's are. */
async function signal(name: "KILL" | "STOP" | "QUIT", pid: number): Promise<void> {
  if (!(pid > 1)) throw new Error(`there is no process ${pid}`);
  await new Deno.Command("sh", { args: ["-c", `kill -${name} ${pid}`], stdin: "null", stderr: "null" }).output();
}

function secret(): string {
  return crypto.getRandomValues(new Uint8Array(16)).toHex();
}
