/**
 * The arrows of the layout: which folder of src may import which. A line of code should know its room.
 */
import { assert, assertEquals } from "@std/assert";
import { importedBy, reachedBy, sourceFiles, sourceText, specifiersOf } from "../support/source_files.ts";

interface Law {
  /**
   * Rooms, folders of rooms or single files, by `src`, that may be imported; a room's own files and `base` always may.
   */
  readonly files: readonly string[];
  readonly packages: readonly string[];
}

const ENTRY: Law = { files: ["config", "process", "telemetry", "workers"], packages: [] };
const CONNECT = ["@connectrpc/connect", "@bufbuild/protobuf"];

/** For each room, and for each file that stands in none, what it may import. */
const LAW: Readonly<Record<string, Law>> = {
  base: { files: [], packages: [] },
  telemetry: { files: [], packages: ["@opentelemetry/api", "pino", "pino-pretty"] },
  // How long a lease is good for is counted by the check of the settings as the lock counts it.
  config: {
    files: [
      "auth/identity.ts",
      "auth/jwt_rules.ts",
      "auth/mtls_rules.ts",
      "auth/rights.ts",
      "telemetry",
      "lock/validity.ts",
    ],
    packages: ["zod"],
  },
  inventory: { files: [], packages: [] },
  store: { files: ["config", "inventory", "telemetry"], packages: ["postgres"] },
  lock: { files: ["config", "inventory/stock_key.ts", "telemetry"], packages: ["ioredis", "redlock"] },
  lanes: { files: ["config/mode_names.ts", "inventory", "store", "lock", "telemetry"], packages: [] },
  watch: { files: ["inventory", "store", "telemetry"], packages: [] },
  jobs: { files: ["inventory", "lanes", "store", "telemetry"], packages: [] },
  // What is read for many calls at once is read as the lanes read it.
  goods: {
    files: ["lanes/again.ts", "lanes/coalesced_reads.ts", "lanes/failure.ts", "store"],
    packages: [],
  },
  auth: {
    files: ["config", "rpc", "store/statements/keys.ts", "telemetry", "transport"],
    packages: [...CONNECT, "jose"],
  },
  health: { files: ["telemetry"], packages: [] },
  tls: { files: ["telemetry"], packages: [] },
  transport: { files: ["telemetry"], packages: ["@connectrpc/connect"] },
  rpc: { files: ["transport", "telemetry", "gen/google"], packages: [...CONNECT, "@connectrpc/connect-node"] },
  services: {
    files: [
      "auth",
      "config/mode_names.ts",
      "gen",
      "goods",
      "health",
      "inventory",
      "lanes",
      "lock/status.ts",
      "rpc",
      "store/transaction_snapshot.ts",
      "telemetry",
      "transport",
      "watch",
    ],
    packages: CONNECT,
  },
  limits: {
    files: [
      "auth/identity.ts",
      "auth/rights.ts",
      "rpc/admission.ts",
      "rpc/errors.ts",
      "telemetry",
      "transport/addresses.ts",
    ],
    packages: ["@bufbuild/protobuf", "@connectrpc/connect", "rate-limiter-flexible"],
  },
  migrate: { files: ["config", "process/exit_codes.ts", "store", "telemetry"], packages: ["dbmate", "postgres"] },
  keys: {
    files: ["auth", "config", "migrate", "process/exit_codes.ts", "store"],
    packages: [],
  },
  doctor: { files: ["migrate", "store"], packages: [] },
  retention: { files: ["config", "migrate", "store"], packages: [] },
  workers: { files: ["process", "telemetry"], packages: [] },
  // It looks at rooms through the types of what they show, and is in nobody's way.
  admin: {
    files: [
      "auth/refusal_audit.ts",
      "health/board.ts",
      "jobs",
      "lanes/modes/quorum_fallback.ts",
      "lanes/tallies.ts",
      "limits/call_limits.ts",
      "lock/status.ts",
      "rpc/messages/budget.ts",
      "store/store.ts",
      "telemetry",
      "transport",
      "watch/tailer.ts",
    ],
    packages: ["prom-client"],
  },
  // Runs in browsers: what it shares with the server is the API alone.
  console: {
    files: ["gen"],
    packages: [
      "@bufbuild/protobuf",
      "@connectrpc/connect",
      "@connectrpc/connect-web",
      "@tanstack/virtual-core",
      "lit",
      "lit-html",
      "uplot",
    ],
  },
  site: { files: ["telemetry", "transport"], packages: [] },
  process: { files: ["admin", "app.ts", "config", "telemetry", "tls", "transport/limits.ts"], packages: [] },
  gen: { files: [], packages: ["@bufbuild/protobuf"] },
  "stock.ts": {
    files: ["config", "goods", "inventory", "lanes", "lock", "store", "telemetry", "transport/addresses.ts", "watch"],
    packages: [],
  },
  "service_list.ts": {
    files: [
      "stock.ts",
      "auth/refusal_audit.ts",
      "config/config.ts",
      "health/board.ts",
      "lanes/list_reads.ts",
      "services",
      "telemetry",
      "transport/addresses.ts",
    ],
    packages: ["uuid"],
  },
  "app.ts": {
    files: [
      "service_list.ts",
      "stock.ts",
      "admin/sources.ts",
      "auth",
      "config",
      "health",
      "jobs",
      "limits",
      "rpc",
      "services",
      "site",
      "telemetry",
      "transport",
    ],
    packages: [],
  },
  "main.ts": ENTRY,
  "supervisor.ts": ENTRY,
  "worker.ts": ENTRY,
  "gatherer.ts": {
    files: ["admin/gather.ts", "config/config.ts", "process", "telemetry", "workers/gatherer.ts"],
    packages: [],
  },
};

/** Files that must know nothing of stock, so that others can take them as they are. */
const REUSABLE = ["services/health/service.ts", "services/reflection/service.ts", "transport/listener.ts"];
/** What those may reach. */
const REUSABLE_TOO = [
  "base",
  "transport",
  "rpc",
  "telemetry",
  "health",
  "gen/grpc",
  "gen/health",
  "gen/google",
  "auth/rights.ts",
  "services/health",
  "services/reflection",
  "services/service_module.ts",
];

/**
 * Lines of the longest function of each folder, comments and blank lines included. Shorter ones take the number down
 * with them; no number goes up.
 */
const FUNCTION_LINES_MAX = { "src/": 115, "tools/": 97, "bench/": 80 };

const SOURCES = sourceFiles("src/");

/** The one import of src from outside of it: the version, which stands in deno.json alone. */
const OF_THE_PROJECT = "src/base/version.ts imports deno.json";

function roomOf(path: string): string {
  return path.replace(/^src\//, "").replace(/\/.*$/, "");
}

function isOneOf(file: string, places: readonly string[]): boolean {
  return places.some((place) => file === `src/${place}` || file.startsWith(`src/${place}/`));
}

Deno.test("every import of src follows an arrow of the layout", () => {
  const wrong: string[] = [];
  for (const file of SOURCES) {
    const law = LAW[roomOf(file)];
    assert(law !== undefined, `${file} stands where the layout has no place for it`);
    for (const imported of importedBy(file)) {
      const line = `${file} imports ${imported}`;
      if (!isOneOf(imported, [roomOf(file), "base", ...law.files]) && line !== OF_THE_PROJECT) wrong.push(line);
    }
    for (const specifier of specifiersOf(file)) {
      if (specifier.startsWith(".") || specifier.startsWith("node:")) continue;
      const isAllowed = law.packages.some((name) => specifier === name || specifier.startsWith(`${name}/`));
      if (!isAllowed) wrong.push(`${file} imports ${specifier}`);
    }
  }
  assertEquals(wrong, []);
});

Deno.test("no arrow of the layout is there for nobody", () => {
  const unused = Object.entries(LAW).flatMap(([room, { files, packages }]) => {
    const own = SOURCES.filter((file) => roomOf(file) === room);
    const imported = own.flatMap(importedBy);
    const specifiers = own.flatMap(specifiersOf);
    return [
      ...files.filter((place) => !imported.some((file) => isOneOf(file, [place]))),
      ...packages.filter((name) => !specifiers.some((text) => text === name || text.startsWith(`${name}/`))),
    ].map((place) => `${room} -> ${place}`);
  });
  // The entries share one law, of which each needs a part.
  assertEquals(
    unused.filter((arrow) => !/^(main|supervisor|worker)\.ts /.test(arrow) && !arrow.startsWith("gen ")),
    [],
  );
});

Deno.test("no module is reached by its own imports", () => {
  const circles: string[] = [];
  for (const folder of ["src/", "tools/", "bench/", "tests/"]) {
    for (const file of sourceFiles(folder)) {
      for (const imported of importedBy(file)) {
        if (reachedBy(imported).has(file)) circles.push(`${file} -> ${imported}`);
      }
    }
  }
  assertEquals(circles, []);
});

Deno.test("the reusable parts of the wire reach nothing that knows of stock", () => {
  for (const start of REUSABLE) {
    const strange = [...reachedBy(`src/${start}`)].filter((file) => !isOneOf(file, REUSABLE_TOO));
    assertEquals(strange, [], `reached from src/${start}`);
  }
});

Deno.test("only the store speaks SQL and only the lock speaks Redis", () => {
  for (const file of SOURCES) {
    if (["store", "lock", "migrate"].includes(roomOf(file))) continue;
    for (const specifier of specifiersOf(file)) {
      assert(!["postgres", "ioredis", "redlock"].includes(specifier), `${file} imports ${specifier}`);
    }
  }
});

Deno.test("only the operations' own files ask of which kind an operation is", () => {
  const kinds = "(?:set|sell|rollback|give_back)";
  const asked = new RegExp(`\\bkind\\s*[!=]==?\\s*"${kinds}"|\\bcase\\s+"${kinds}"`);
  // What a page offers to do is no operation.
  const own = /^src\/(inventory\/operations|console)\//;
  const wrong = SOURCES.filter((file) => !own.test(file) && asked.test(sourceText(file)));
  assertEquals(wrong, []);
});

Deno.test("nothing of src imports from outside of it, but for the version", () => {
  const outside = SOURCES.flatMap((file) =>
    importedBy(file).filter((imported) => !imported.startsWith("src/")).map((imported) => `${file} imports ${imported}`)
  );
  assertEquals(outside, [OF_THE_PROJECT]);
});

Deno.test("there is no index.ts, no utils, and no file of more than 300 lines", () => {
  for (
    const file of [...SOURCES, ...sourceFiles("tools/"), ...sourceFiles("bench/"), ...sourceFiles("tests/faults/")]
  ) {
    assert(!/(^|\/)(index|utils?|helpers?|misc|common)\.ts$/.test(file), `${file}: name it after its one idea`);
    assert(/^[a-z0-9_/]+\.ts$/.test(file), `${file}: file names are snake_case`);
    const lines = sourceText(file).split("\n").length;
    assert(lines <= 300, `${file} has ${lines} lines; is it still one idea?`);
  }
});

for (const [folder, linesMax] of Object.entries(FUNCTION_LINES_MAX)) {
  Deno.test(`no function of ${folder} has more lines than the longest had`, () => {
    const lengths = sourceFiles(folder).flatMap(functionLengths).sort((a, b) => b.lines - a.lines);
    assertEquals(lengths.filter(({ lines }) => lines > linesMax), []);
    assertEquals(linesMax, lengths[0]?.lines, `the longest is ${lengths[0]?.where}: take the bound down to it`);
  });
}

/** The functions of a file and how many lines each has, counted by the parser of `deno lint`. */
function functionLengths(path: string): { where: string; lines: number }[] {
  const text = sourceText(path);
  const rules = { lines: { create: reportFunctions } };
  return Deno.lint.runPlugin({ name: "functions", rules }, path, text).map(({ range: [start, end] }) => ({
    where: `${path}:${text.slice(0, start).split("\n").length}`,
    lines: text.slice(start, end).split("\n").length,
  }));
}

function reportFunctions(context: Deno.lint.RuleContext): Deno.lint.LintVisitor {
  const report = (node: Deno.lint.Node) => context.report({ node, message: "a function" });
  return { FunctionDeclaration: report, FunctionExpression: report, ArrowFunctionExpression: report };
}
