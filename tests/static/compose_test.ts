/** Compares compose.yaml with the code: settings, permissions, nodes and ports. No engine is needed for it. */
import { assert, assertEquals } from "@std/assert";
import { parse } from "yaml";
import { loadConfig } from "../../src/config/config.ts";
import { CONSOLE_DIR } from "../../src/config/console_dir.ts";
import { SETTING_NAMES } from "../../src/config/settings.ts";
import { STOP_MS_MAX } from "../../src/config/stop_times.ts";
import { EXIT_UNUSABLE } from "../../src/process/exit_codes.ts";
import { LOCK_RULES, REDIS_USER } from "../../tools/stack/redis_users.ts";
import { serverFlags } from "../../src/config/flags.ts";
import { postgresHostText } from "../../src/config/postgres_address.ts";

interface Service {
  readonly image?: string;
  readonly build?: string;
  readonly command?: readonly string[];
  readonly entrypoint?: readonly string[];
  readonly profiles?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly ports?: readonly string[];
  readonly expose?: readonly string[];
  readonly network_mode?: string;
  readonly volumes?: readonly string[];
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
  readonly security_opt?: readonly string[];
  readonly tmpfs?: readonly string[];
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly privileged?: boolean;
  readonly user?: string;
  readonly mem_limit?: string;
  readonly pids_limit?: number;
  readonly stop_grace_period?: string;
}

const text = Deno.readTextFileSync("compose.yaml");
/** As Compose reads it where every variable without a default is given. */
const GIVEN = "0123456789abcdef";
const compose: { services: Record<string, Service> } = parse(
  text.replace(/\$\{\w+:\?[^}]*\}/g, GIVEN).replace(/\$\{\w+:-(\w*)\}/g, "$1"),
  { merge: true },
);
const { services } = compose;
const server = services["server"] ?? {};
const migrate = services["migrate"] ?? {};
const keys = services["keys"] ?? {};
const redisNames = Object.keys(services).filter((name) => name.startsWith("redis-"));

Deno.test("compose: the parts of the stack are there, and nothing else", () => {
  const nodes = ["redis-1", "redis-2", "redis-3", "redis-4", "redis-5"];
  assertEquals(Object.keys(services).sort(), ["keys", "migrate", "postgres", ...nodes, "server"]);
});

Deno.test("compose: the server is given known settings, and they go together", () => {
  const environment = server.environment ?? {};
  assertEquals(
    Object.keys(environment).filter((name) => !SETTING_NAMES.includes(name) && !name.startsWith("OTEL_")),
    [],
  );
  const config = loadConfig((name) => environment[name]);
  assertEquals(
    config.redisNodes.map(({ host, port, user, password }) => [host, port, user, password]),
    redisNames.map((name) => [name, 6379, REDIS_USER, GIVEN]),
  );
  assertEquals(config.database.hosts.map(postgresHostText), ["postgres:5432"]);
});

/** A path as the image has it, below its working directory. */
const inImage = (word: string) => word.replace(CONSOLE_DIR, "dist/console");

Deno.test("compose: the server may reach its own port and stores, and nothing more", () => {
  const config = loadConfig((name) => server.environment?.[name]);
  const expected = ["run", "--cached-only", ...serverFlags(config), "src/main.ts"].map(inImage);
  assertEquals([...(server.command ?? [])].sort(), expected.sort());
  assertEquals(server.command?.at(-1), "src/main.ts");
});

Deno.test("compose: the service's port is published on loopback, and no other", () => {
  const config = loadConfig((name) => server.environment?.[name]);
  const published = Object.entries(services).filter(([, { ports }]) => ports !== undefined);
  assertEquals(published.map(([name, { ports }]) => [name, ports]), [
    ["server", [`127.0.0.1:${config.port}:${config.port}`]],
  ]);
  assertEquals(Object.entries(services).filter(([, { network_mode }]) => network_mode !== undefined), []);
});

Deno.test("compose: the Redis nodes share nothing, keep nothing, and come back at once", () => {
  for (const name of redisNames) {
    const node = services[name] ?? {};
    assertEquals(node.volumes, undefined, name);
    // No shell around it that waits: a node that lost its leases has no vote for as long as they count.
    const [shell, flags, script = ""] = node.command ?? [];
    assertEquals([shell, flags], ["sh", "-ec"], name);
    assert(script.startsWith('exec redis-server - --save "" --appendonly no '), script);
  }
});

Deno.test("compose: each Redis lets in one user, by a password, with the rights of the lock", () => {
  for (const name of redisNames) {
    const { command, environment, healthcheck } = services[name] ?? {};
    const lines = (command?.[2] ?? "").trimEnd().split("\n").slice(1);
    // Compose writes a $ of the shell's as two.
    const rules = `user ${REDIS_USER} reset on >$$REDIS_PASSWORD ${LOCK_RULES.join(" ")}`;
    assertEquals(lines, ["user default reset off", rules, "EOF"], name);
    assertEquals(environment, { REDIS_PASSWORD: GIVEN }, name);
    assert(
      healthcheck?.test.join(" ").includes(`REDISCLI_AUTH="$$REDIS_PASSWORD" redis-cli --user ${REDIS_USER} ping`),
    );
  }
});

Deno.test("compose: no password has a default, and nothing starts without one", () => {
  const names = ["HOLDFAST_OWNER_PASSWORD", "HOLDFAST_REDIS_PASSWORD", "HOLDFAST_SERVER_PASSWORD"];
  const used = [...text.matchAll(/\$\{(HOLDFAST_\w+)([^}]*)\}/g)];
  assertEquals([...new Set(used.map(([, name]) => name))].sort(), names);
  assertEquals(used.filter(([, , rest]) => !rest?.startsWith(":?")).map(([whole]) => whole), []);
  for (const [, , password] of text.matchAll(/(\w+):\/\/[^\s:]+:([^@\s]+)@/g)) {
    assert(password?.startsWith("${"), password);
  }
});

Deno.test("compose: the server is given more time to stop than it may take", () => {
  const seconds = Number(/^(\d+)s$/.exec(server.stop_grace_period ?? "")?.[1]);
  assert(seconds * 1000 > STOP_MS_MAX, `${server.stop_grace_period} for up to ${STOP_MS_MAX} ms`);
});

Deno.test("the unit for systemd in docs/operating.md gives time to stop, and does not start again what can't work", () => {
  const lines = Deno.readTextFileSync("docs/operating.md").split("\n");
  const seconds = Number(lines.find((line) => line.startsWith("TimeoutStopSec="))?.split("=")[1]);
  assert(seconds * 1000 > STOP_MS_MAX, `${seconds} s for up to ${STOP_MS_MAX} ms`);
  assert(lines.includes(`RestartPreventExitStatus=${EXIT_UNUSABLE}`));
  const program = lines.find((line) => line.startsWith("ExecStart="))?.replace("ExecStart=/opt/holdfast/", "");
  assert((Deno.statSync(program ?? "").mode ?? 0) & 0o100, `${program} is no program`);
});

Deno.test("compose: no container is root, can change itself, gain rights, or take the machine's memory", () => {
  for (const [name, service] of Object.entries(services)) {
    assertEquals(service.read_only, true, name);
    assertEquals(service.cap_drop, ["ALL"], name);
    assertEquals(service.security_opt, ["no-new-privileges:true"], name);
    assertEquals(service.privileged, undefined, name);
    assert(/^\d+[mg]$/.test(service.mem_limit ?? ""), `${name}: mem_limit ${service.mem_limit}`);
    assert((service.pids_limit ?? 0) > 0, `${name}: pids_limit`);
    if (service.build === undefined) {
      assert(service.user !== undefined && !/^(root|0)(:|$)/.test(service.user), `${name}: user ${service.user}`);
      assert(/:\d+\.\d+(\.\d+)?-\w+$/.test(service.image ?? ""), `${name}: ${service.image} is no version`);
    }
  }
});

Deno.test("compose: the server starts after the migrations, which start after PostgreSQL", () => {
  assertEquals(server.depends_on?.["migrate"]?.condition, "service_completed_successfully");
  assertEquals(migrate.depends_on?.["postgres"]?.condition, "service_healthy");
  assert(migrate.command?.join(" ").endsWith("src/migrate/main.ts up"));
  assertEquals(migrate.environment?.["DATABASE_URL"], server.environment?.["DATABASE_URL"]);
});

Deno.test("compose: keys are made by the owner, with the permissions of the task but for what it can't reach", () => {
  const { tasks } = JSON.parse(Deno.readTextFileSync("deno.json"));
  const flags = (tasks["keys"] as string).split(" ").slice(2, -1);
  const kept = flags.filter((flag) => !/^--allow-(read|write|net)/.test(flag));
  const entry = ["deno", "run", "--cached-only", "--allow-net=postgres:5432", ...kept, "src/keys/main.ts"];
  assertEquals(keys.entrypoint?.toSorted(), entry.toSorted());
  assertEquals(keys.profiles, ["tools"], "it is started when it is asked for");
  assertEquals(keys.environment, { DATABASE_OWNER_URL: migrate.environment?.["DATABASE_OWNER_URL"] ?? "" });
});

Deno.test("compose: our containers can change nothing, and the server reports its health by its admin port", () => {
  for (const [name, service] of Object.entries({ server, migrate, keys })) {
    assertEquals(service.build, ".", name);
    assertEquals(service.tmpfs, ["/tmp"], name);
    assertEquals(service.user, undefined, "the image's own");
  }
  // What the check is worth, tests/integration/container_test.ts finds out.
  const { admin } = loadConfig((name) => server.environment?.[name]);
  const address = `127.0.0.1:${admin?.port}`;
  const test = server.healthcheck?.test ?? [];
  assertEquals(test.slice(0, 2), ["CMD", "deno"]);
  assertEquals(test.filter((word) => word.includes(address)), [`--allow-net=${address}`, `http://${address}/readyz`]);
});

Deno.test("compose: the image is tagged with the version, and has the dbmate of deno.json", () => {
  const { version, imports } = JSON.parse(Deno.readTextFileSync("deno.json"));
  for (const { image } of [server, migrate, keys]) assertEquals(image, `holdfast:${version}`);
  const dbmate = /dbmate@(.+)$/.exec(imports.dbmate)?.[1];
  const permission = migrate.command?.find((word) => word.startsWith("--allow-run="));
  assert(permission?.split(",").every((path) => path.includes(`@${dbmate}/`)), `${permission} is not dbmate ${dbmate}`);
});
