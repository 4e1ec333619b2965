/** deno.lock says what runs here, to the byte, so nothing but `deno install --frozen=false` may change it. */
import { assert, assertEquals } from "@std/assert";

const config = JSON.parse(Deno.readTextFileSync("deno.json"));

Deno.test("a deno.json that deno.lock does not fit is refused by every command, and deno.lock stays as it is", () => {
  assertEquals(config.lock, { path: "deno.lock", frozen: true });
  for (const [name, command] of Object.entries<string>(config.tasks)) {
    assert(!/--frozen=false|--no-lock|--lock\b/.test(command), name);
  }
});
