/** deno.lock says what runs here, to the byte, so nothing but `deno install --frozen=false` may change it. */
import { assert, assertEquals } from "@std/assert";
import { sourceFiles, sourceText } from "../support/source_files.ts";

const config = JSON.parse(Deno.readTextFileSync("deno.json"));

Deno.test("a deno.json that deno.lock does not fit is refused by every command, and deno.lock stays as it is", () => {
  assertEquals(config.lock, { path: "deno.lock", frozen: true });
  for (const [name, command] of Object.entries<string>(config.tasks)) {
    assert(!/--frozen=false|--no-lock|--lock\b/.test(command), name);
  }
});

Deno.test("the stand-in for @std/assert has what the tests use, and nothing else", () => {
  const text = sourceText("tests/support/std_assert/mod.ts");
  const exported = [
    ...[...text.matchAll(/^export function (\w+)/gm)].map(([, name]) => name),
    ...[...text.matchAll(/^export \{ ([^}]+) \}/gm)].flatMap(([, names]) => names!.split(", ")),
  ];
  const imports = sourceFiles("tests/").flatMap((file) =>
    [...sourceText(file).matchAll(/^import \{([^}]+)\} from "@std\/assert"/gm)].flatMap(([, names]) =>
      names!.split(",").map((name) => name.trim()).filter((name) => name !== "")
    )
  );
  assertEquals([...new Set(exported)].sort(), [...new Set(imports)].sort());
});
