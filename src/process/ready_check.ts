/**
 * Ends with 0 where what is at the address given, a `/readyz`, answers 200, and with 1 where it does not. For the
 * container, whose image has no other program that could ask.
 */
if (import.meta.main) {
  const ready = await fetch(Deno.args[0]!, { signal: AbortSignal.timeout(3_000) }).then(({ ok }) => ok, () => false);
  Deno.exit(ready ? 0 : 1);
}
