/**
 * The health check of the container: exits 0 when the server at the given address says that it is serving.
 * `deno run --allow-net=<host:port> src/process/healthcheck.ts http://127.0.0.1:8080`
 */

const ANSWER_MS_MAX = 3_000;

/**
 * Asks grpc.health.v1 for the state of the whole server, as Connect with JSON.
 *
 * @returns the status word, such as SERVING
 * @throws Error when the server does not answer within {@link ANSWER_MS_MAX}, or with an error
 */
export async function askHealth(url: string): Promise<string> {
  const response = await fetch(new URL("/grpc.health.v1.Health/Check", url), {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: "{}",
    signal: AbortSignal.timeout(ANSWER_MS_MAX),
  });
  const answer = await response.json();
  if (!response.ok) throw new Error(`The health check was answered with ${response.status}: ${JSON.stringify(answer)}`);
  return answer.status;
}

if (import.meta.main) {
  const [url] = Deno.args;
  if (url === undefined) throw new Error("Give the address of the server as the argument: http://127.0.0.1:8080");
  const status = await askHealth(url);
  console.log(status);
  Deno.exit(status === "SERVING" ? 0 : 1);
}
