/**
 * What compose.yaml runs in its containers, run here: the check of health, and the server on the files that the image
 * has.
 */
import { assert, assertEquals } from "@std/assert";
import { parse } from "yaml";
import { HealthBoard } from "../../src/health/board.ts";
import { createRpcHandler } from "../../src/rpc/router.ts";
import { withHealthPaths } from "../../src/services/health/paths.ts";
import { withListener } from "../support/listening.ts";

const nothing = () => {};
const log = { debug: nothing, info: nothing, warn: nothing, error: nothing };

/** As Compose reads it: two $ are one. */
const { services: { server } } = parse((await Deno.readTextFile("compose.yaml")).replaceAll("$$", "$"), {
  merge: true,
}) as { services: Record<"server", Server> };

interface Server {
  readonly build: { readonly dockerfile_inline: string };
  readonly command: readonly string[];
  readonly healthcheck: { readonly test: readonly string[] };
}

/** Runs a line of a shell, with arguments, to its end. */
async function sh(line: string, ...args: string[]): Promise<{ code: number; said: string }> {
  const { code, stdout } = await new Deno.Command("sh", { args: ["-c", line, "sh", ...args], stderr: "null" }).output();
  return { code, said: new TextDecoder().decode(stdout) };
}

/** The exit code of the container's check of health, of a server on that port. */
async function checkHealth(port: number): Promise<number> {
  const [kind, shell, flag, script = ""] = server.healthcheck.test;
  assertEquals([kind, shell, flag], ["CMD", "bash", "-c"]);
  assert(script.includes("/127.0.0.1/8080 "), script);
  return (await sh(`exec bash -c "$1"`, script.replace("/127.0.0.1/8080 ", `/127.0.0.1/${port} `))).code;
}

Deno.test("the container is healthy while the server is SERVING, and not while it is not, nor when nobody listens", async () => {
  const board = new HealthBoard([]);
  const handler = withHealthPaths(createRpcHandler({ log, routes: () => {} }), board);
  let port = 0;
  await withListener({ handler }, async ({ listener }) => {
    port = listener.port;
    assertEquals(await checkHealth(port), 1);
    board.set("SERVING");
    assertEquals(await checkHealth(port), 0);
    board.set("NOT_SERVING");
    assertEquals(await checkHealth(port), 1);
  });
  assertEquals(await checkHealth(port), 1);
});

Deno.test("the files that the image copies are all that the server is made of, beside the packages", async () => {
  const dir = await Deno.makeTempDir();
  try {
    const image = server.build.dockerfile_inline.split(/^FROM /m).at(-1) ?? "";
    for (const [, from = "", to = ""] of image.matchAll(/^COPY (?!--)(.+) (\S+)$/gm)) {
      const copy = `to=$1; shift; case $to in */) mkdir -p "$to";; esac; cp -r "$@" "$to"`;
      assertEquals((await sh(copy, `${dir}/${to}`, ...from.split(" "))).code, 0, from);
    }
    assertEquals((await sh(`ln -s "$PWD/node_modules" "$1"`, dir)).code, 0);
    const { version } = JSON.parse(await Deno.readTextFile("deno.json"));
    // Every import is there, and allowed by the container's own flags, before the version is said.
    const run = await sh(`cd "$1"; shift; exec "$@" --version`, dir, Deno.execPath(), ...server.command);
    assertEquals(run, { code: 0, said: `holdfast ${version}\n` });
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
