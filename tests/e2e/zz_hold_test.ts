import { serverTest } from "../support/server.ts";
serverTest("hold", { env: {LOG_LEVEL: "debug", REQUEST_BYTES_MAX: "65536"}}, async (server) => { 
  console.error("HOLD " + server.url);
  Deno.writeTextFileSync(Deno.env.get("TMPDIR")! + "/hold_url", server.url + " " + server.databaseOwnerUrl);
  while (true) { try { Deno.statSync("/tmp/hold_stop"); break; } catch { /**/ } await new Promise((r) => setTimeout(r, 200)); }
});
