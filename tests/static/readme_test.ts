import { assert, assertEquals } from "@std/assert";
import { loadConfig, SETTING_NAMES } from "../../src/config.ts";

const README = await Deno.readTextFile(new URL("../../README.md", import.meta.url));
const START = JSON.parse(await Deno.readTextFile(new URL("../../deno.json", import.meta.url))).tasks.start as string;

/** The rows of the settings table: names to default. */
function documented(): Map<string, string> {
  const rows = [...README.matchAll(/^\| ((?:`[A-Z_]+`(?:, )?)+) *\| (.+?) *\|/gm)];
  return new Map(
    rows.flatMap(([, names = "", value = ""]) => [...names.matchAll(/[A-Z_]+/g)].map(([name]) => [name, value])),
  );
}

Deno.test("the README's settings table names what the code reads, and DATA_DIR of `up`", () => {
  const names = [...documented().keys()].sort();
  assertEquals(names, [...SETTING_NAMES, "DATA_DIR"].sort());
});

Deno.test("the README's defaults are the code's", () => {
  const table = documented();
  const config = loadConfig(() => undefined);
  const number = (name: string) => Number(table.get(name)?.replaceAll("`", ""));
  assertEquals(number("PORT"), config.port);
  assertEquals(number("LOCK_TTL_MS"), config.lockTtlMs);
  assertEquals(number("LOCK_NODE_TIMEOUT_MS"), config.lockNodeTimeoutMs);
  assertEquals(number("LOCK_WAIT_MS_MAX"), config.lockWaitMsMax);
  assertEquals(number("DATABASE_POOL_MAX"), config.databasePoolMax);
  assertEquals(number("ORDER_LINES_MAX"), config.orderLinesMax);
  assertEquals(number("QUEUE_MAX"), config.queueMax);
  assertEquals(number("REQUEST_BYTES_MAX"), config.requestBytesMax);
  assertEquals(number("REQUEST_TIMEOUT_MS_MAX"), config.requestTimeoutMsMax);
  assertEquals(table.get("DATABASE_URL"), `\`${config.databaseUrl}\``);
});

Deno.test("the start task grants every setting by name, and nothing wholesale", () => {
  const flags = START.split(" ").filter((word) => word.startsWith("-"));
  const environment = flags.find((flag) => flag.startsWith("--allow-env="))?.slice("--allow-env=".length).split(",");
  assertEquals(environment?.sort(), [...SETTING_NAMES].sort());
  for (const flag of flags) {
    assert(/^--(no-prompt|ignore-env|allow-(net|env|sys)=.+)$/.test(flag), `${flag} grants more than the server needs`);
  }
});
