/**
 * Comments of protos as Markdown. Of a call, a line that begins with codes and a colon begins an error, and one that
 * begins with `Retry:` says whether a retry is safe; each goes on until the next of them or an empty line.
 */

const ERROR = /^([A-Z_]{4,}(?:, [A-Z_]{4,})*): (.*)$/;
const RETRY = /^Retry: (.*)$/;
/** An item of an indented list: a code, or a field or header, and behind two spaces what it means. */
const ITEM = /^ {2,}([A-Z_]{4,}|[a-z][a-z_-]+) {2,}(.*)$/;

/** A comment in one line, for a cell of a table. */
export function commentLines(comment: string): string {
  return escaped(lines(comment).join(" ").trim()).replaceAll("|", "\\|");
}

/** A comment in paragraphs. An indented list of codes, or of fields, becomes a table. */
export function paragraphs(comment: string): string {
  const parts: string[] = [];
  const items: [code: string, meaning: string][] = [];
  let text: string[] = [];
  let table: string[] = [];
  const flush = () => {
    if (table.length > 0) parts.push(table.join("\n"));
    table = [];
    if (text.length > 0) parts.push(escaped(text.join(" ")));
    text = [];
    if (items.length > 0) parts.push(itemTable(items.splice(0)));
  };
  for (const line of lines(comment)) {
    const item = ITEM.exec(line);
    const last = items.at(-1);
    if (line.startsWith("|")) {
      if (table.length === 0) flush();
      table.push(line);
    } else if (item) {
      if (items.length === 0) flush();
      items.push([item[1] ?? "", item[2] ?? ""]);
    } else if (last !== undefined && line.startsWith("   ")) {
      last[1] += ` ${line.trim()}`;
    } else {
      if (line === "" || last !== undefined || table.length > 0) flush();
      if (line !== "") text.push(line);
    }
  }
  flush();
  return parts.join("\n\n");
}

/**
 * The comment of a call, with its errors as a table.
 *
 * Throws where there is none, and with `isWhole` where it does not say whether a retry is safe.
 */
export function method(name: string, comment: string, isWhole: boolean): string {
  if (comment === "") throw new Error(`${name} has no comment`);
  const text: string[] = [];
  const errors: [code: string, meaning: string][] = [];
  let retry: string | undefined;
  let under: "text" | "error" | "retry" = "text";
  for (const line of lines(comment)) {
    const error = ERROR.exec(line);
    const again = RETRY.exec(line);
    if (error) errors.push([error[1] ?? "", error[2] ?? ""]);
    else if (again) retry = again[1] ?? "";
    else if (line === "" || under === "text") text.push(line);
    else if (under === "error") errors.at(-1)![1] += ` ${line}`;
    else retry += ` ${line}`;
    under = error ? "error" : again ? "retry" : line === "" ? "text" : under;
  }
  if (isWhole && retry === undefined) throw new Error(`${name} does not say whether a retry is safe ("Retry: ...")`);
  return [
    paragraphs(text.join("\n")),
    ...(errors.length === 0 ? [] : [errorTable(errors)]),
    ...(retry === undefined ? [] : [`**Retry:** ${escaped(retry)}`]),
  ].join("\n\n");
}

function itemTable(items: readonly (readonly [name: string, meaning: string])[]): string {
  if (items.every(([name]) => /^[A-Z]/.test(name))) return errorTable(items);
  return table("| name | meaning |", items);
}

function errorTable(errors: readonly (readonly [code: string, meaning: string])[]): string {
  return table("| error | when |", errors);
}

function table(head: string, items: readonly (readonly [name: string, meaning: string])[]): string {
  const rows = items.map(([code, meaning]) =>
    `| ${code.split(", ").map((name) => `\`${name}\``).join(", ")} | ${escaped(meaning).replaceAll("|", "\\|")} |`
  );
  return [head, "| --- | --- |", ...rows].join("\n");
}

function lines(comment: string): string[] {
  return comment.trimEnd().split("\n").map((line) => line.replace(/^ /, "").trimEnd());
}

/** Names of fields, constants and messages as code, so that Markdown leaves them as they are; what is quoted stays. */
function escaped(text: string): string {
  return text.replaceAll(
    /(?<![\w`".])(ABORTED|CANCELED|INTERNAL|UNAVAILABLE|UNAUTHENTICATED|[A-Za-z]+_[A-Za-z_]+|[a-z]+(?:\.[a-z0-9]+)+\.[A-Z]\w+|inventory\.v1|(?!PostgreSQL)(?!UUIDv)[A-Z][a-z]+[A-Z]\w+|x-request-id)(?![\w`])/g,
    "`$1`",
  );
}
