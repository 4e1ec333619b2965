/** A program that says where it listens, in two writes, and does not let SIGTERM end it. */
Deno.addSignalListener("SIGTERM", () => console.log("not yet"));
const encoder = new TextEncoder();
Deno.stdout.writeSync(encoder.encode("first line\nsecond "));
Deno.stdout.writeSync(encoder.encode("line\nno end"));
setInterval(() => {}, 60_000);
