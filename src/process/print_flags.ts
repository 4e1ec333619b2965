/**
 * Prints, a line each, what `deno run` is to be given to serve on these settings: the permissions that they need and no
 * others, and the program. For `bin/holdfast`, which then becomes that program.
 */
import { fileURLToPath } from "node:url";
import { serverFlags, supervisorFlags } from "../config/flags.ts";
import { secretFiles } from "../config/permissions.ts";
import { startSettings } from "./start_settings.ts";

const config = startSettings();
const isOne = config.workers === 1;
const program = fileURLToPath(new URL(isOne ? "../main.ts" : "../supervisor.ts", import.meta.url));
const needs = { deno: Deno.execPath(), files: secretFiles(config), preloaded: Deno.env.get("LD_PRELOAD") ?? "" };
for (const word of [...isOne ? serverFlags(config) : supervisorFlags(needs), program]) console.log(word);
