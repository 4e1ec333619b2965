/** The page docs/api.md: services, calls, messages and enums with the comments that they have in the protos. */
import { bufBinary } from "../gate/buf_binary.ts";
import { ARTICLE_CONFIG, output } from "../gate/run_program.ts";
import { commentLines, method, paragraphs } from "./api_comments.ts";
import { commentsOf, type Enum, type File, type Message, typeOf } from "./descriptors.ts";

/** Where the services that clients are to use stand, all of them. */
const OURS = "inventory/v1/";
const HEAD = new URL("./api_head.md", import.meta.url);
const ARTICLE_TITLE = "The article's contract";

/** The whole page, not yet formatted. Throws where a call has no comment, or does not say whether a retry is safe. */
export async function apiPage(): Promise<string> {
  const ours = (await build("proto")).filter(({ name }) => name.startsWith(OURS));
  const article = await build("proto/article", "--config", ARTICLE_CONFIG);
  return [
    await Deno.readTextFile(HEAD),
    "## Calls",
    calls(ours),
    ...ours.map((file) => filePart(file, "##")),
    `## ${ARTICLE_TITLE}`,
    ...article.map((file) => filePart(file, "###")),
  ].join("\n\n");
}

async function build(input: string, ...args: string[]): Promise<readonly File[]> {
  const { success, stdout, words } = await output(bufBinary(), ["build", input, ...args, "-o", "-#format=json"]);
  if (!success) throw new Error(words);
  return JSON.parse(new TextDecoder().decode(stdout)).file;
}

/** A row for each call, with the first sentence of its comment. */
function calls(files: readonly File[]): string {
  const rows = files.flatMap((file) => {
    const comments = commentsOf(file);
    return (file.service ?? []).flatMap((service, s) =>
      service.method.map(({ name }, m) => {
        const [first = ""] = commentLines(comments.get(`6,${s},2,${m}`) ?? "").split(/(?<=\.) /);
        return `| [${service.name}/${name}](#${service.name.toLowerCase()}${name.toLowerCase()}) | ${first} |`;
      })
    );
  });
  return ["| call | what it does |", "| --- | --- |", ...rows].join("\n");
}

/** `level`: the headings of its services. */
function filePart(file: File, level: string): string {
  const comments = commentsOf(file);
  const isArticle = level !== "##";
  const services = (file.service ?? []).flatMap((service, s) => [
    `${level} ${isArticle ? "service " : ""}${service.name}`,
    ...(s === 0 ? [paragraphs(comments.get("12") ?? "")] : []),
    paragraphs(comments.get(`6,${s}`) ?? ""),
    ...service.method.flatMap(({ name, inputType, outputType, serverStreaming }, m) => [
      `${level}# ${service.name}/${name}`,
      method(`${service.name}/${name}`, comments.get(`6,${s},2,${m}`) ?? "", !isArticle),
      `Takes ${typeLink(inputType, isArticle)}, answers ${serverStreaming ? "a stream of " : ""}${
        typeLink(outputType, isArticle)
      }.`,
    ]),
  ]);
  const messages = (file.messageType ?? []).flatMap((message, m) => messagePart(message, `4,${m}`, comments, level));
  const enums = (file.enumType ?? []).flatMap((item, e) => enumPart(item, `5,${e}`, comments, level));
  return [...services, ...messages, ...enums].filter((part) => part !== "").join("\n\n");
}

function messagePart(message: Message, path: string, comments: ReadonlyMap<string, string>, level: string): string[] {
  const fields = (message.field ?? []).map((field, f) => {
    const type = typeOf(field);
    const oneof = field.oneofIndex === undefined || field.proto3Optional ? "" : " (one of these)";
    return `| \`${field.name}\` | ${type.prefix}${
      type.message === undefined ? type.text : typeLink(type.message, level !== "##")
    }${oneof} | ${commentLines(comments.get(`${path},2,${f}`) ?? "")} |`;
  });
  return [
    `${level}# ${message.name}`,
    paragraphs(comments.get(path) ?? ""),
    fields.length === 0 ? "No fields." : ["| field | type | meaning |", "| --- | --- | --- |", ...fields].join("\n"),
  ];
}

function enumPart(item: Enum, path: string, comments: ReadonlyMap<string, string>, level: string): string[] {
  const values = item.value.flatMap(({ name, number }, v) =>
    (number ?? 0) === 0 ? [] : [`| \`${name}\` | ${commentLines(comments.get(`${path},2,${v}`) ?? "")} |`]
  );
  return [
    `${level}# ${item.name}`,
    paragraphs(comments.get(path) ?? ""),
    ["| value | meaning |", "| --- | --- |", ...values].join("\n"),
  ];
}

/** Types of our own have a heading on the page; others are named. */
function typeLink(type: string, isArticle: boolean): string {
  const name = type.slice(type.lastIndexOf(".") + 1);
  const isOwn = isArticle || type.startsWith(".inventory.v1.");
  return isOwn ? `[${name}](#${name.toLowerCase()})` : `\`${type.slice(1)}\``;
}
