/** A program that writes lines in two parts, the last line without an end, and lets no SIGTERM end it. */
Deno.addSignalListener("SIGTERM", () => {});
const encoder = new TextEncoder();
Deno.stdout.writeSync(encoder.encode("first line\nsecond "));
Deno.stdout.writeSync(encoder.encode("line\nno end"));
setInterval(() => {}, 60_000);
