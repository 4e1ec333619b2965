/** The service in this process, with callers that prove who they are by keys. */
import { type App, type AppParts, startApp } from "../../src/app.ts";
import { loadConfig } from "../../src/config/config.ts";
import type { TestDatabase } from "./database.ts";

/** A line of its log. */
export interface KeyedLine {
  readonly message: string;
  readonly [field: string]: unknown;
}

/** The app, and what it has logged as a warning, and of calls. */
export interface KeyedApp extends AsyncDisposable {
  readonly app: App;
  readonly url: string;
  readonly warnings: readonly KeyedLine[];
  /** The lines of calls. */
  readonly calls: readonly KeyedLine[];
  /** Posts JSON, over HTTP/1.1. */
  post(method: string, message: unknown, headers?: Readonly<Record<string, string>>): Promise<PostEnd>;
}

/** How a call over HTTP/1.1 ended. */
export interface PostEnd {
  readonly status: number;
  readonly code: string | undefined;
  readonly message: string | undefined;
  readonly headers: Headers;
  readonly text: string;
}

/** Starts it. `await using` ends it. */
export async function startKeyedApp(
  { serverUrl }: Pick<TestDatabase, "serverUrl">,
  settings: Readonly<Record<string, string>> = {},
  parts: Partial<AppParts> = {},
): Promise<KeyedApp> {
  const given: Record<string, string> = {
    ...{ PORT: "0", CONCURRENCY: "row", AUTH: "keys", DATABASE_URL: serverUrl },
    ...settings,
  };
  const warnings: KeyedLine[] = [];
  const calls: KeyedLine[] = [];
  const quiet = () => {};
  const info = (fields: Record<string, unknown>, message: string) => {
    if (message === "call") calls.push({ ...fields, message });
  };
  const warn = (fields: Record<string, unknown>, message: string) => void warnings.push({ ...fields, message });
  const log = { debug: quiet, info, warn, error: warn };
  const app = await startApp(loadConfig((name) => given[name]), { log, ...parts });
  return {
    app,
    url: app.url,
    warnings,
    calls,
    async post(method, message, headers = {}) {
      const response = await fetch(`${app.url}/${method}`, {
        method: "POST",
        headers: { "content-type": "application/json", ...headers },
        body: JSON.stringify(message),
      });
      const text = await response.text();
      const isJson = response.headers.get("content-type")?.startsWith("application/json") === true;
      const { code, message: said } = isJson ? JSON.parse(text) : { code: undefined, message: undefined };
      return { status: response.status, code, message: said, headers: response.headers, text };
    },
    [Symbol.asyncDispose]: () => app.close(),
  };
}
