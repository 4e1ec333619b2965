/**
 * docs/operating.md from a bare machine to a client that sells: its blocks of shell, run as they stand there, on a
 * PostgreSQL of the test's own. Replaced are paths, ports and who somebody is; programs are there already.
 */
import { assert } from "@std/assert";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { freePorts } from "../../tools/stack/ports.ts";
import { testEnvironment } from "../support/env.ts";
import { startOwnPostgres } from "../support/own_postgres.ts";
import { stepsOf, walk } from "../support/page_walk.ts";
import { sourceText } from "../support/source_files.ts";

const SECTION = /^## From a bare machine to a client that sells$([\s\S]*?)^## /m;
const RUN_MS_MAX = 150_000;
/** What the page's ports are replaced by, PostgreSQL's aside. */
const PORTS = ["8443", "8081", "6381", "6382", "6383", "6384", "6385"];

Deno.test("docs/operating.md leads from a bare machine to a client that sells with a key over TLS", async () => {
  await using postgres = await startOwnPostgres({ fsync: false });
  const dir = await Deno.makeTempDir();
  // PostgreSQL runs as another user when we are root, and must get through to its certificate.
  await Deno.chmod(dir, 0o755);
  const steps = stepsOf(SECTION.exec(sourceText("docs/operating.md"))?.[1] ?? "");
  assert(steps.length >= 7, `${steps.length} blocks of shell`);
  const ports = freePorts(PORTS.length);
  const owner = new URL(postgres.server.ownerUrl("postgres"));
  const replaced: readonly (readonly [string | RegExp, string])[] = [
    ["/etc/holdfast", join(dir, "etc")],
    ["/opt/holdfast", fileURLToPath(new URL("../..", import.meta.url))],
    ["/var/log/", `${dir}/`],
    // With another home it would fetch what it has in this one.
    ["env HOME=/home/holdfast ", ""],
    ["/run/", `${dir}/`],
    ["0.0.0.0", "127.0.0.1"],
    [":5432/", `:${owner.port}/`],
    ...PORTS.map((port, i) => [new RegExp(`\\b${port}\\b`, "g"), `${ports[i]}`] as const),
    // So that the test finds them again.
    ["daemonize yes", `daemonize yes\npidfile ${dir}/redis_$port.pid`],
    // Who is not root is one user, and so is the test: but for PostgreSQL, which never runs as root.
    [/runuser -u \w+ -- /g, ""],
    [Deno.uid() === 0 ? /^ *chown (?!postgres).*$/gm : /^ *chown .*$/gm, ":"],
  ];
  try {
    await walk(steps, {
      change: (shell) => replaced.reduce((text, [from, to]) => text.replaceAll(from, () => to), shell),
      env: {
        PATH: [dirname(Deno.execPath()), testEnvironment().postgresBin, Deno.env.get("PATH")].join(":"),
        PGHOST: owner.hostname,
        PGPORT: owner.port,
        PGUSER: owner.username,
        PGPASSWORD: owner.password,
        PGDATABASE: "postgres",
        LOG_LEVEL: "info",
      },
      msMax: RUN_MS_MAX,
    });
  } catch (error) {
    console.error(await Deno.readTextFile(join(dir, "holdfast.log")).catch(() => "the service was not started"));
    throw error;
  } finally {
    await end(dir);
  }
});

/** Ends what the walk has left running; all that it wrote was for it alone. */
async function end(dir: string): Promise<void> {
  await new Deno.Command("sh", { args: ["-c", `kill -9 $(cat ${dir}/*.pid)`], stderr: "null" }).output();
  await Deno.remove(dir, { recursive: true });
}
