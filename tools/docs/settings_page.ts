/** The page docs/settings.md: a row for each setting, read off the schema that the server reads its settings with. */
import { z } from "zod";
import { REDIS_URLS_DEFAULT, SETTINGS } from "../../src/config/settings.ts";
import { DATA_DIR_DEFAULT } from "../stack/own_directory.ts";

const HEAD = `# Settings

All from the environment, all optional; an empty value counts as not set, and a name that is not in this table is
ignored without a word. Problems are reported all at once, before anything starts: they, missing permissions, an address
that can't be listened on and a certificate that can't serve end \`bin/holdfast\`, \`start\`, \`start:workers\` and the
owner's commands (\`migrate\`, \`keys\`, \`doctor\`, \`retain\`) with exit 78, and \`up\` with 1
([exit codes](operating.md#exit-codes)). What is set and changes nothing is a warning in the log.

The owner's commands read \`DATABASE_OWNER_URL\`, the address of a role that may change the schema
([before the first start](operating.md#before-the-first-start)), and \`DATABASE_URL\`, which stands for it where it is
not set; or the files in \`DATABASE_OWNER_URL_FILE\` and \`DATABASE_URL_FILE\`; and \`DATABASE_TLS_*\`. \`DATA_DIR\` is read by \`up\` and by the tests. Every other
setting is the server's, and \`up\` hands it on.
`;

/** What zod says of a setting in its JSON schema. */
interface Facts {
  readonly default?: unknown;
  readonly description?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly enum?: readonly string[];
  /** What it may be, where that is not its minimum to its maximum. */
  readonly values?: string;
}

/** The whole page, not yet formatted. Throws where a setting has no description. */
export function settingsPage(): string {
  const read = factsOf("output");
  const given = factsOf("input");
  const rows = Object.entries(read).map(([name, facts]) => {
    const meaning = facts.description;
    if (meaning === undefined) throw new Error(`${name} has no description`);
    return row(name, defaultOf(name, given[name]?.default ?? facts.default), valuesOf(facts), meaning);
  });
  return [
    HEAD,
    row("name", "default", "values", "meaning", ""),
    "| --- | --- | --- | --- |",
    ...rows,
    row(
      "DATA_DIR",
      code(DATA_DIR_DEFAULT),
      "",
      "where `up` keeps the data of its servers; programs that it, or a test, had to fetch are there too",
    ),
    "",
  ].join("\n");
}

function factsOf(io: "input" | "output"): Record<string, Facts> {
  return z.toJSONSchema(SETTINGS, { io, unrepresentable: "any" }).properties as Record<string, Facts>;
}

function row(name: string, byDefault: string, values: string, meaning: string, quote = "`"): string {
  return `| ${quote}${name}${quote} | ${byDefault} | ${values} | ${meaning} |`;
}

function defaultOf(name: string, value: unknown): string {
  // Not "none", which some settings may be set to.
  if (value === undefined) return "not set";
  if (Array.isArray(value) && value.length === 0) return "none";
  if (name !== "REDIS_URLS") return code(String(value));
  const urls = REDIS_URLS_DEFAULT.split(",");
  return `${code(urls[0] ?? "")} to ${code(`:${new URL(urls.at(-1) ?? "").port}`)}`;
}

function valuesOf({ enum: names, minimum, maximum, values }: Facts): string {
  if (values !== undefined) return values;
  if (names !== undefined) return names.map(code).join(", ");
  return minimum === undefined ? "" : `${minimum} to ${maximum}`;
}

function code(text: string): string {
  return `\`${text}\``;
}
