/** Where the page for browsers is: `deno task console` makes it there, and the server reads it at its start. */
import { fileURLToPath } from "node:url";

export const CONSOLE_DIR = fileURLToPath(new URL("../../dist/console", import.meta.url));
