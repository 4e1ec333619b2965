/** `deno task console`: builds the page that the server serves at `/`. */
import { buildConsole } from "./build.ts";

if (import.meta.main) {
  await buildConsole();
  console.log("built dist/console; a server reads it at its start");
}
