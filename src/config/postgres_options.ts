/**
 * `options` of a PostgreSQL address: words for the server's command line, or for the proxy before it (`endpoint=...`).
 * A server setting in it would win over those of the role, which the program counts on. Pure.
 */

/** Settings that may be given: where the tables are is the owner's choice. */
const SETTINGS = new Set(["search_path"]);

/** Words that a provider's proxy takes for itself, such as `endpoint=`, `project=` and `reference=`. */
const PROXY_WORD = /^(endpoint|project|reference|tenant)=[A-Za-z0-9._-]+$/;

/** What is wrong with it, each as a sentence without its text; none where all of it can be honoured. */
export function optionsProblem(options: string): string[] {
  const words = wordsOf(options);
  const problems: string[] = [];
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? "";
    const setting = word === "-c" ? words[++i] ?? "" : /^(?:-c|--)(.+)$/s.exec(word)?.[1];
    if (setting === undefined) {
      if (!PROXY_WORD.test(word)) problems.push("options: expected -c search_path=..., or a word such as endpoint=...");
      continue;
    }
    const name = /^([A-Za-z_][A-Za-z0-9_.-]{0,62})=/.exec(setting)?.[1]?.replaceAll("-", "_").toLowerCase();
    if (name === undefined) problems.push("options: a setting has no name or no value");
    else if (!SETTINGS.has(name)) {
      problems.push(
        `options: ${name} is a setting of the server, and those are the role's: alter role ... set ${name} = ...`,
      );
    }
  }
  return problems;
}

/** As PostgreSQL splits them: at spaces, with a backslash before what is meant as it is. */
function wordsOf(text: string): string[] {
  return [...text.matchAll(/(?:\\[\s\S]|[^\s\\])+/g)].map(([word]) => word.replace(/\\([\s\S])/g, "$1"));
}
