/** What Prometheus would read: a scrape, taken apart by the text format's own rules. */
import http from "node:http";

/** One scrape. */
export interface Scrape {
  readonly text: string;
  /** Names to types, as `# TYPE` says them. */
  readonly types: ReadonlyMap<string, string>;
  readonly series: readonly Series[];
  /** The value of the one series of that name which has these labels, and maybe others. */
  value(name: string, labels?: Readonly<Record<string, string>>): number;
  /** The sum of all series of that name which have these labels; 0 where there is none. */
  sum(name: string, labels?: Readonly<Record<string, string>>): number;
}

/** One line of a scrape. */
export interface Series {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Scrapes `/metrics` below the URL. Throws where it is answered with anything but metrics. */
export async function scrape(adminUrl: string): Promise<Scrape> {
  const [status, text] = await askedAt(`${adminUrl}/metrics`);
  if (status !== 200) throw new Error(`/metrics was answered ${status}: ${text}`);
  const types = new Map(
    [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name = "", type = ""]) => [name, type]),
  );
  const series = text.split("\n").filter((line) => line !== "" && !line.startsWith("#")).map(seriesOf);
  const found = (name: string, labels: Readonly<Record<string, string>>) =>
    series.filter((one) =>
      one.name === name && Object.entries(labels).every(([label, value]) => one.labels[label] === value)
    );
  return {
    text,
    types,
    series,
    value(name, labels = {}) {
      const [only, ...others] = found(name, labels);
      if (only === undefined || others.length > 0) {
        throw new Error(`${others.length + (only ? 1 : 0)} series of ${name} with ${JSON.stringify(labels)}`);
      }
      return only.value;
    },
    sum: (name, labels = {}) => found(name, labels).reduce((sum, { value }) => sum + value, 0),
  };
}

/** Status and text of a page. By node:http, as fetch sets no Host. */
export async function askedAt(
  url: string,
  { method = "GET", headers = {}, body }: {
    readonly method?: string;
    readonly headers?: Readonly<Record<string, string>>;
    readonly body?: string;
  } = {},
): Promise<[status: number, text: string]> {
  const { promise, resolve, reject } = Promise.withResolvers<http.IncomingMessage>();
  const request = http.request(url, { method, headers, agent: false }, resolve);
  request.on("error", reject);
  request.end(body);
  const response = await promise;
  let text = "";
  for await (const part of response) text += part;
  return [response.statusCode ?? 0, text];
}

function seriesOf(line: string): Series {
  const [, name, , labels = "", value] = /^([a-zA-Z_:][\w:]*)(\{(.*)\})? (\S+)$/.exec(line) ?? [];
  if (name === undefined || value === undefined) throw new Error(`no line of a scrape: ${line}`);
  const pairs = [...labels.matchAll(/([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"(?:,|$)/g)];
  return {
    name,
    labels: Object.fromEntries(pairs.map(([, label = "", text = ""]) => [label, text])),
    value: numberOf(value),
  };
}

function numberOf(text: string): number {
  return text === "+Inf" ? Infinity : Number(text);
}
