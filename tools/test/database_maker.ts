/**
 * Makes and drops the databases of the tests, in sessions of its own. A test would need a session for each, which takes
 * 15 ms of CPU of both sides, as much as the database itself.
 */
import postgres from "postgres";

/** The database of a run that has the whole schema and no rows. */
export const TEMPLATE_DATABASE = "holdfast_template";
/** At once; who comes meanwhile waits. */
const SESSIONS = 3;
const NAME = /^test_[0-9a-f]{32}$/;

/** At its URL: POST `/copy` or `/empty` makes a database, and answers its name; POST `/drop/<name>` drops one. */
export interface DatabaseMaker extends AsyncDisposable {
  /** A path of it is known to nobody but whom it is given to. */
  readonly url: string;
}

/** Starts it, for the server at `ownerUrl`: {@link TEMPLATE_DATABASE} is what is copied, by a superuser's session. */
export function startDatabaseMaker(ownerUrl: string): DatabaseMaker {
  const sql = postgres(ownerUrl, { max: SESSIONS, onnotice: () => {} });
  const secret = crypto.randomUUID();
  const make = async (from: string): Promise<string> => {
    const name = `test_${crypto.randomUUID().replaceAll("-", "")}`;
    // Files are copied in 7 ms of CPU; the default, by the log, takes 15, and what a first session would have to make.
    await sql.unsafe(`create database ${name} template ${from} strategy file_copy`);
    return name;
  };
  const answer = async (path: string): Promise<string> => {
    const [, asked, what, name = "", ...more] = path.split("/");
    if (asked !== secret || more.length > 0) throw new Error("this path is none");
    if (what === "copy") return await make(TEMPLATE_DATABASE);
    if (what === "empty") return await make("template0");
    if (what !== "drop" || !NAME.test(name)) throw new Error(`Cannot ${what} ${name}`);
    // With the connections that still use it.
    await sql.unsafe(`drop database if exists ${name} with (force)`);
    return name;
  };
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    (request) =>
      answer(new URL(request.url).pathname).then(
        (text) => new Response(text),
        (error) => new Response(String(error), { status: 500 }),
      ),
  );
  return {
    url: `http://127.0.0.1:${server.addr.port}/${secret}`,
    async [Symbol.asyncDispose]() {
      await server.shutdown();
      await sql.end({ timeout: 1 });
    },
  };
}

/** Has a DatabaseMaker at `url` do it. @throws Error with its words when it can't */
export async function askDatabaseMaker(url: string, what: "copy" | "empty" | `drop/${string}`): Promise<string> {
  const response = await fetch(`${url}/${what}`, { method: "POST" });
  const text = await response.text();
  if (!response.ok) throw new Error(`No database could be made or dropped: ${text}`);
  return text;
}
