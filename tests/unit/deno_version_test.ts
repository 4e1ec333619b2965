import { assertEquals } from "@std/assert";
import { refusedDenoVersion } from "../../src/process/deno_version.ts";

for (
  const [version, refused] of [
    ["1.46.3", true],
    ["2.6.8", true],
    ["2.7.1", false],
    ["2.9.2", false],
    ["2.9.3", false],
    ["2.9.4", true],
    ["2.9.5", true],
    ["2.9.6", true],
    ["2.9.6+abc", true],
    ["2.9.7", false],
    ["2.8.5", false],
    ["2.10.5", false],
    ["3.9.5", false],
  ] as const
) {
  Deno.test(`Deno ${version} is ${refused ? "refused" : "accepted"}`, () => {
    assertEquals(refusedDenoVersion(version) !== undefined, refused);
  });
}
