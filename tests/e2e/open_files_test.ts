/** What becomes of a process that has no file left for a connection, at its start and later. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import net from "node:net";
import { processSize } from "../support/process_size.ts";
import { post, runServer, startServer, type TestServer } from "../support/server.ts";
import { pidOf } from "../support/workers.ts";
import { eventually } from "../support/eventually.ts";

const isLinux = Deno.build.os === "linux";
const EXIT_UNUSABLE = 78;
/** Connections more than there are files for. */
const TOO_MANY = 60;
/**
 * Deno's own word where it found no file to read something of its own, such as the source of the program, of which it
 * wants to say where an error was: whoever started the process starts it anew. Rare, and nothing of ours.
 */
const PANIC = "Deno has panicked";
const TRIALS_MAX = 3;
/** Two looks at the port, with their pauses and waits, and time for a machine that has other work. */
const HEARD_MS_MAX = 40_000;

if (isLinux) {
  for (const workers of [undefined, 2]) {
    const name = workers === undefined ? "a process" : "one of two workers";
    Deno.test(`${name} that had no file left for a moment accepts again`, async () => {
      for (let trial = 1;; trial++) {
        await using server = await startServer(workers === undefined ? {} : { workers });
        try {
          return await acceptsAgain(server, workers);
        } catch (error) {
          console.error(`--- log of the server ---\n${server.output.stderr}---`);
          if (trial === TRIALS_MAX || !server.output.stderr.includes(PANIC)) throw error;
        }
      }
    });
  }

  Deno.test("a low limit of open files lowers that of connections, which is said", async () => {
    await using server = await startServer({ openFilesMax: 300 });
    assertStringIncludes(server.output.stderr, `"connectionsMax":`);
    assertStringIncludes(server.output.stderr, "fewer connections: the limit of open files is low");
    const sockets = Array.from({ length: 400 }, () => net.connect(server.port, "127.0.0.1"));
    await Promise.all(
      sockets.map((socket) => new Promise<void>((resolve) => socket.once("connect", resolve).once("error", resolve))),
    );
    assert((await processSize(server.pid)).openFiles < 300);
    for (const socket of sockets) socket.destroy();
    await eventually(async () => {
      const answer = await post(`${server.url}/grpc.health.v1.Health/Check`, {}).catch(() => undefined);
      return answer?.body.status === "SERVING";
    }, "it answers");
    assert(!server.output.stderr.includes("listening anew"), server.output.stderr);
  });

  Deno.test("a limit of open files that leaves files for hardly a connection is refused, and named", async () => {
    const { code, stdout, stderr } = await runServer({ openFilesMax: 120 });
    assertEquals([code, stdout], [EXIT_UNUSABLE, ""]);
    assertStringIncludes(stderr, "Raise its limit of open files (ulimit -n)");
  });
}

/** Takes all files of the process, or of the first of so many workers, and gives them back. */
async function acceptsAgain(server: TestServer, workers: number | undefined): Promise<void> {
  const pid = workers === undefined ? server.pid : pidOf(server, 1);
  const { openFiles } = await processSize(pid);
  await limitOpenFiles(pid, openFiles + 10);
  const sockets = Array.from({ length: (workers ?? 1) * TOO_MANY }, () => net.connect(server.port, "127.0.0.1"));
  await Promise.all(
    sockets.map((socket) => new Promise<void>((resolve) => socket.once("connect", resolve).once("error", resolve))),
  );
  await eventually(async () => (await processSize(pid)).openFiles >= openFiles + 9, "all files are in use");
  for (const socket of sockets) socket.destroy();
  const line = `"msg":"the port accepted nobody any more; listening anew"`;
  await eventually(() => server.output.stderr.includes(line), "it listens anew", HEARD_MS_MAX);
  // On new connections, which any of the workers may get.
  for (let call = 0; call < 20; call++) {
    assertEquals((await post(`${server.url}/grpc.health.v1.Health/Check`, {})).body.status, "SERVING");
  }
}

async function limitOpenFiles(pid: number, max: number): Promise<void> {
  const { success, stderr } = await new Deno.Command("prlimit", { args: ["--pid", String(pid), `--nofile=${max}`] })
    .output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
}
