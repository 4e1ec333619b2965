/**
 * Programs of others for the tests in tests/clients and tests/browser: clients in other languages, proxies, poolers, a
 * browser. Those that are missing are brought in with one call of apt, beside the tests that need none of them.
 */
import type { Log } from "../../src/telemetry/log.ts";
import { aptInstall } from "../stack/apt.ts";
import { findProgram } from "../stack/programs.ts";
import { message } from "../reader_errors.ts";

interface ClientProgram {
  /** A name that is looked for on PATH, or a full path. */
  readonly program: string;
  /** A library that must be there beside it. */
  readonly library?: string;
  /** Debian's packages that bring it. */
  readonly packages: readonly string[];
}

/** What grpc-java needs beside itself. */
const JARS = [
  "libprotobuf-java",
  "libnetty-java",
  "libperfmark-java",
  "libgeronimo-annotation-1.3-spec-java",
  "libguava-java",
];

/** By the names under which the tests ask for them. Sizes are of the download and on disk, on Debian 12. */
const PROGRAMS: Readonly<Record<string, ClientProgram>> = {
  pgbouncer: { program: "pgbouncer", packages: ["pgbouncer"] },
  nginx: { program: "nginx", packages: ["nginx"] },
  haproxy: { program: "haproxy", packages: ["haproxy"] },
  // 23 MB, 332 MB; the server in it is not started.
  promtool: { program: "promtool", packages: ["prometheus"] },
  // 9 MB, 36 MB.
  caddy: { program: "caddy", packages: ["caddy"] },
  // 7 MB, 28 MB.
  protoc: {
    program: "protoc",
    library: "/usr/bin/grpc_python_plugin",
    packages: ["protobuf-compiler", "protobuf-compiler-grpc"],
  },
  // Debian's own, which its libraries are for; another Python may come first on PATH.
  python: {
    program: "/usr/bin/python3",
    library: "/usr/lib/python3/dist-packages/grpc",
    packages: ["python3-grpcio"],
  },
  node: { program: "node", packages: ["nodejs"] },
  // 96 MB, 579 MB.
  go: {
    program: "go",
    library: "/usr/share/gocode/src/google.golang.org/grpc",
    packages: ["golang-go", "golang-google-grpc-dev", "golang-goprotobuf-dev"],
  },
  // 12 MB, 69 MB, beside the compiler.
  "g++": { program: "g++", library: "/usr/include/grpcpp/grpcpp.h", packages: ["g++", "pkg-config", "libgrpc++-dev"] },
  // 7 MB, 10 MB, beside the JDK.
  javac: {
    program: "javac",
    library: "/usr/share/java/grpc-netty.jar",
    packages: ["default-jdk-headless", "libgrpc-java", ...JARS, "protobuf-compiler-grpc-java-plugin"],
  },
  java: { program: "java", library: "/usr/share/java/perfmark-api.jar", packages: ["default-jre-headless", ...JARS] },
  // 100 MB, 299 MB. Not the script on PATH: it does not hand on the signal that ends it, and the browser would stay.
  chromium: { program: "/usr/lib/chromium/chromium-headless-shell", packages: ["chromium-headless-shell"] },
};

/** Those of drills alone. */
const DRILL_PROGRAMS: Readonly<Record<string, ClientProgram>> = {
  patroni: { program: "patroni", packages: ["patroni", "python3-urllib3"] },
  etcd: { program: "etcd", packages: ["etcd-server"] },
};

/** The long drills, tests/drills/<name>/main.ts, and which programs of others each needs. */
export const DRILLS = {
  failover: ["haproxy", "patroni", "etcd"],
  rolling: ["haproxy"],
  pooler: ["pgbouncer"],
} as const;
/** One of {@link DRILLS}. */
export type DrillName = keyof typeof DRILLS;

/** All that tests of pages need. */
const BROWSER = "chromium";

/**
 * Has playwright-core not look, while it is loaded, whether it is on Windows: for that it asks for a file of /proc,
 * which Deno opens to nobody but a program with every permission.
 */
const LOADS_PLAYWRIGHT = { __IS_WSL_TEST__: "1" };

/** Where they are, for the tests. */
export interface ClientPrograms {
  /** What the tests read; see tests/support/client_programs.ts. */
  readonly env: Readonly<Record<string, string>>;
  /** Full paths of those that are there. */
  readonly paths: readonly string[];
}

/**
 * Finds what tests of these groups need, and brings in what is missing. Never throws: a test that needs one that is
 * missing fails, and says why.
 */
export async function bringClientPrograms(
  log: Log,
  groups: readonly ("clients" | "browser")[],
): Promise<ClientPrograms> {
  return await bring(log, Object.entries(PROGRAMS).filter(([name]) => groups.includes("clients") || name === BROWSER));
}

/** The same for one drill. */
export async function bringDrillPrograms(log: Log, drill: DrillName): Promise<ClientPrograms> {
  const names: readonly string[] = DRILLS[drill];
  const all = Object.entries({ ...PROGRAMS, ...DRILL_PROGRAMS });
  return await bring(log, all.filter(([name]) => names.includes(name)));
}

async function bring(log: Log, needed: readonly (readonly [string, ClientProgram])[]): Promise<ClientPrograms> {
  const missing = needed.map(([, program]) => program).filter((program) => pathOf(program) === undefined);
  const packages = [...new Set(missing.flatMap((program) => program.packages))];
  let reason = "apt's packages do not contain it";
  if (packages.length > 0) await aptInstall(packages, log).catch((error) => reason = message(error));
  const found = needed.map(([name, program]) => {
    const path = pathOf(program);
    const advice = `install it (\`sudo apt-get install ${program.packages.join(" ")}\`)`;
    return [name, path === undefined ? { missing: `${name} is missing: ${reason}; ${advice}` } : { path }] as const;
  });
  const paths = found.flatMap(([, { path }]) => path ?? []);
  const env = { TEST_CLIENT_PROGRAMS: JSON.stringify(Object.fromEntries(found)), ...LOADS_PLAYWRIGHT };
  return { env, paths };
}

function pathOf({ program, library }: ClientProgram): string | undefined {
  const path = program.startsWith("/") ? existing(program) : findProgram(program);
  return library === undefined || existing(library) !== undefined ? path : undefined;
}

function existing(path: string): string | undefined {
  try {
    Deno.statSync(path);
    return path;
  } catch {
    return undefined;
  }
}
