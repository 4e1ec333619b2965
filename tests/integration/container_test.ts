/**
 * What containers run, run here: the files of the image with nothing that can be written, by the command lines of
 * deploy/kubernetes, with secrets as Kubernetes mounts them, and the check of health of compose.yaml.
 */
import { assert, assertEquals } from "@std/assert";
import { join } from "node:path";
import { parse } from "yaml";
import { loadConfig } from "../../src/config/config.ts";
import { listenUrl } from "../../src/process/listen_line.ts";
import { freePorts } from "../../tools/stack/ports.ts";
import { createTestDatabase } from "../support/database.ts";
import { testEnvironment } from "../support/env.ts";
import { built, kustomization, type Manifest, podOf } from "../support/kustomize.ts";
import { v1Path } from "../support/raw_call.ts";
import { sourceText } from "../support/source_files.ts";
import { eventually } from "../support/eventually.ts";

const BASE = built("deploy/kubernetes/base");
const { services: { server } } = parse(sourceText("compose.yaml"), { merge: true }) as {
  services: { server: { healthcheck: { test: readonly string[] } } };
};
const RUN_MS_MAX = 150_000;
/** As in a container: root has no capability, so that it can write no more than anybody else. */
const CONFINED = Deno.uid() === 0 ? ["setpriv", "--no-new-privs", "--bounding-set=-all", "--inh-caps=-all"] : [];
/** In the image it is jemalloc, which need not be here: with any library in front Deno refuses to start a program. */
const PRELOADED = Deno.build.os === "linux" ? ["env", "LD_PRELOAD=libanl.so.1"] : [];
/** The shell may be run by tests, and becomes what it is given. */
const THROUGH_SHELL = ["-c", 'exec "$@"', "sh"];
const SHOP = { setInv: { goodsId: 1, num: 5 }, sell: { orderId: "A-1", goodsInfo: [{ goodsId: 1, num: 2 }] } };

/** The files of an image, and what is mounted into its containers. */
interface Laid {
  readonly dir: string;
  readonly app: string;
  /** As `NAME=value`, for whatever runs there. */
  readonly env: Readonly<Record<string, string>>;
}

Deno.test("the files of the image, of which none can be written, migrate, make a key, serve, and end when asked", async () => {
  await using database = await createTestDatabase({ empty: true });
  const laid = await lay();
  const { redisUrls } = testEnvironment();
  const [port, adminPort] = freePorts(2) as [number, number];
  const manifest = (kind: string) => BASE.find((each) => each.kind === kind)!;
  try {
    await mount(laid, "database/url", database.serverUrl);
    await mount(laid, "owner/url", database.ownerUrl);
    await mount(laid, "redis/urls", redisUrls.join(","));
    await readOnly(laid.dir, true);
    assertEquals((await run(laid, ["touch", join(laid.app, "new")])).code, 1, "nothing can be written");

    const replaced: readonly (readonly [string, string])[] = [
      ["/etc/holdfast", join(laid.dir, "etc")],
      ["0.0.0.0:8080", `127.0.0.1:${port}`],
      ["0.0.0.0:8081", `127.0.0.1:${adminPort}`],
      ["$(DATABASE_HOST)", new URL(database.ownerUrl).host],
      ...redisUrls.map((url, i) => [`holdfast-redis-${i}.holdfast-redis:6379`, new URL(url).host] as const),
    ];
    const here = (text: string) => replaced.reduce((part, [from, to]) => part.replaceAll(from, to), text);
    const words = (kind: string) => [Deno.execPath(), ...podOf(manifest(kind))!.spec.containers[0].args.map(here)];
    const settings = {
      ...Object.fromEntries(Object.entries(settingsOf()).map(([name, value]) => [name, here(value)])),
      ...{ HOST: "127.0.0.1", PORT: `${port}`, ADMIN_HOST: "127.0.0.1", ADMIN_PORT: `${adminPort}` },
      ...{ DATABASE_OWNER_URL_FILE: join(laid.dir, "etc/owner/url"), LOCK_KEY_PREFIX: `${database.name}:` },
      // Nobody is sent here that has to learn of its end.
      DRAIN_DELAY_MS: "0",
    };

    const migrated = await run(laid, words("Job"), settings);
    assertEquals(migrated.code, 0, migrated.said);
    const task = [Deno.execPath(), "task", "keys", "add", "shop", "--rights", "stocker,seller"];
    const key = (await run(laid, task, settings)).out.trim();
    assert(/^hf_\w+$/.test(key), "a key and nothing else on standard output");

    const serving = start(laid, words("Deployment"), settings);
    const ready = () =>
      fetch(`http://127.0.0.1:${adminPort}/readyz`).then((it) => (it.body?.cancel(), it.ok), () => false);
    const url = await serving.url;
    await eventually(ready, "the server is ready");
    const call = async (method: string, message: unknown) => {
      const headers = { "content-type": "application/json", authorization: `Bearer ${key}` };
      const answer = await fetch(url + v1Path(method), { method: "POST", headers, body: JSON.stringify(message) });
      return await answer.json();
    };
    await call("SetInv", SHOP.setInv);
    assertEquals((await call("Sell", SHOP.sell)).orderId, "A-1");
    const page = await fetch(url);
    assertEquals([page.status, (await page.text()).includes("<!doctype html>")], [200, true], "the console");

    assertEquals(await checkHealth(laid, adminPort), 0);
    serving.process.kill("SIGTERM");
    const { code } = await serving.process.status;
    assertEquals(code, 0, await serving.said);
    // Deno says so where it would like to keep something and can't.
    assertEquals((await serving.said).match(/^.*(cache|read-only|denied).*$/gim), null);
    assertEquals(await checkHealth(laid, adminPort), 1);
  } finally {
    await readOnly(laid.dir, false);
    await Deno.remove(laid.dir, { recursive: true });
  }
});

Deno.test("docs/deploy.md makes the secrets that the trial mounts, and they are settings that go together", async () => {
  const dir = await Deno.makeTempDir();
  try {
    const block = /^```sh\n(.*?)^```$/ms.exec(sourceText("docs/deploy.md"))?.[1] ?? "";
    const { success } = await new Deno.Command("sh", { args: ["-euc", block], cwd: dir }).output();
    assert(success);
    const secrets = join(dir, "deploy/kubernetes/trial");
    const files = kustomization("deploy/kubernetes/trial").secretGenerator!.flatMap(({ files }) => files);
    for (const file of files) assert((await Deno.readTextFile(join(secrets, file.split("=")[1]!))).length >= 48, file);
    const mounted: Readonly<Record<string, string>> = {
      "/etc/holdfast/database/url": "secrets/database_url",
      "/etc/holdfast/redis/urls": "secrets/redis_urls",
    };
    const settings = settingsOf();
    const read = (path: string) => Deno.readTextFileSync(join(secrets, mounted[path] ?? path));
    const config = loadConfig((name) => settings[name], read);
    assertEquals(config.redisNodes.length, 5);
    assertEquals(`${config.database.user}`, "holdfast_server");
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

function settingsOf(): Record<string, string> {
  return BASE.find(({ kind }: Manifest) => kind === "ConfigMap")!["data"];
}

/** Lays out the image as Dockerfile does, by its own lines. */
async function lay(): Promise<Laid> {
  const dir = await Deno.makeTempDir();
  const [app, cache] = [join(dir, "app"), join(dir, "deno-dir")];
  const dockerfile = sourceText("Dockerfile").replaceAll(/\\\n\s*/g, "");
  const line = (pattern: RegExp) => pattern.exec(dockerfile)?.[1]?.split(/\s+/) ?? [];
  await output([Deno.execPath(), "task", "image", app]);
  const laid = { dir, app, env: { DENO_DIR: cache, NPM_CONFIG_REGISTRY: "http://127.0.0.1:1", PATH: "/usr/bin:/bin" } };
  const cached = await run(laid, [Deno.execPath(), "cache", ...line(/^RUN DENO_DIR=\/cache deno cache (.+)$/m)]);
  assertEquals(cached.code, 0, cached.said);
  return laid;
}

/** Puts a secret where Kubernetes would: behind a link to a folder that is replaced as a whole. */
async function mount({ dir }: Laid, path: string, text: string): Promise<void> {
  const [volume = "", key = ""] = path.split("/");
  const root = join(dir, "etc", volume);
  await Deno.mkdir(join(root, "..2026_11_28"), { recursive: true });
  await Deno.writeTextFile(join(root, "..2026_11_28", key), text);
  await output(["ln", "-s", "..2026_11_28", join(root, "..data")]);
  await output(["ln", "-s", join("..data", key), join(root, key)]);
}

/** Runs what must go well. */
async function output(words: readonly string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command("sh", { args: [...THROUGH_SHELL, ...words] }).output();
  assert(success, `${words[0]}: ${new TextDecoder().decode(stderr)}`);
}

async function readOnly(dir: string, on: boolean): Promise<void> {
  await output(["chmod", "-R", on ? "a-w" : "u+w", dir]);
}

/** The exit code of compose's check of health, of a server with that admin port. */
async function checkHealth(laid: Laid, adminPort: number): Promise<number> {
  const [kind, program, ...args] = server.healthcheck.test;
  assertEquals([kind, program], ["CMD", "deno"]);
  const words = args.map((word) => word.replaceAll("127.0.0.1:8081", `127.0.0.1:${adminPort}`));
  return (await run(laid, [Deno.execPath(), ...words])).code;
}

function command({ app, env }: Laid, words: readonly string[], settings: Readonly<Record<string, string>>) {
  const args = [...THROUGH_SHELL, ...CONFINED, ...PRELOADED, ...words];
  return new Deno.Command("sh", {
    args,
    cwd: app,
    env: { ...env, ...settings },
    clearEnv: true,
    ...{
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    } as const,
  });
}

/** Runs it to its end. */
async function run(laid: Laid, words: readonly string[], settings: Readonly<Record<string, string>> = {}) {
  const process = command(laid, words, settings).spawn();
  const timer = setTimeout(() => process.kill("SIGKILL"), RUN_MS_MAX);
  const { code, stdout, stderr } = await process.output();
  clearTimeout(timer);
  const [out, errors] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes)) as [string, string];
  return { code, out, said: out + errors };
}

/** A server, where it listens, and all that it has said when it has ended. */
function start(laid: Laid, words: readonly string[], settings: Readonly<Record<string, string>>) {
  const process = command(laid, words, settings).spawn();
  const { promise: url, resolve, reject } = Promise.withResolvers<string>();
  const listen = async () => {
    let text = "";
    for await (const part of process.stdout.pipeThrough(new TextDecoderStream())) {
      text += part;
      const found = text.split("\n").map(listenUrl).find((it) => it !== undefined);
      if (found !== undefined) resolve(found);
    }
  };
  const said = new Response(process.stderr).text();
  listen().then(async () => reject(new Error(`it does not listen: ${await said}`)));
  return { process, url, said };
}
