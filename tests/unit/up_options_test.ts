/** What `deno task up` takes on its command line, and which settings it does not go with. */
import { assertEquals, assertThrows } from "@std/assert";
import { checkOptions, upOptions, UsageError } from "../../tools/up/options.ts";

Deno.test("options in any sequence, and nothing else", () => {
  assertEquals(upOptions([]), { demo: false, tls: false });
  assertEquals(upOptions(["--tls", "--demo"]), { demo: true, tls: true });
  assertEquals(upOptions(["--", "--demo"]), { demo: true, tls: false });
  for (
    const [wrong, named] of [[["--demo=1"], "--demo=1"], [["demo"], "demo"], [["--demo", "--help"], "--help"]] as const
  ) {
    const { message } = assertThrows(() => upOptions(wrong), UsageError);
    assertEquals(message, `expected --demo, --tls or nothing, got ${named}`);
  }
});

Deno.test("settings that an option does not go with are named", () => {
  const check = (options: string, setting: string, value: string) =>
    checkOptions(upOptions(options.split(" ")), (name) => name === setting ? value : undefined);
  for (
    const [options, setting] of [
      ["--demo", "DATABASE_URL"],
      ["--demo --tls", "DATABASE_URL_FILE"],
      ["--demo", "AUTH"],
      ["--tls", "TLS_CERT_FILE"],
    ] as const
  ) {
    assertThrows(() => check(options, setting, "given"), Error, `does not go with ${setting}`);
    check(options, setting, "");
  }
  check("--demo", "AUTH", "none");
  check("--tls", "DATABASE_URL", "given");
});
