/** Whether a server that `up` has started serves yet. */

const HEALTH_MS_MAX = 3_000;

/**
 * A look whether it serves. `ca`: a certificate of `up`'s own making; behind another, which may be for other names and
 * may ask for one of ours, nobody looks.
 */
export async function lookerAt(url: string, ca: string | undefined): Promise<() => boolean | Promise<boolean>> {
  if (!url.startsWith("https:")) return () => isServing(url);
  if (ca === undefined) return () => true;
  const client = Deno.createHttpClient({ caCerts: [await Deno.readTextFile(ca)] });
  return () => isServing(url, client);
}

async function isServing(url: string, client?: Deno.HttpClient): Promise<boolean> {
  const signal = AbortSignal.timeout(HEALTH_MS_MAX);
  try {
    const answer = await fetch(`${url}/readyz`, { signal, ...(client === undefined ? {} : { client }) });
    // Read to its end, or its connection would stay open unused, and every look would open another.
    await answer.arrayBuffer();
    return answer.ok;
  } catch {
    return false;
  }
}
