/** What a PromQL expression asks for, by the grammar that Prometheus's own page has. */
import { parser } from "@prometheus-io/lezer-promql";

/** One selector, such as `up{job="holdfast"}`. */
export interface Selector {
  readonly metric: string;
  readonly matchers: readonly Matcher[];
}

/** One condition on a label. */
export interface Matcher {
  readonly label: string;
  /** `=`, `!=`, `=~` or `!~`. */
  readonly operator: string;
  readonly value: string;
}

/** An expression, taken apart. */
export interface Query {
  /** What is no PromQL in it; empty where all of it is. */
  readonly problems: readonly string[];
  readonly selectors: readonly Selector[];
  /** Labels by which it aggregates or joins, each with the selectors below that have to have it. */
  readonly groupings: readonly { readonly label: string; readonly selectors: readonly Selector[] }[];
  /** The labels of its result, where an aggregation says which; undefined: those of its selectors. */
  readonly resultLabels: readonly string[] | undefined;
}

type Node = ReturnType<typeof parser.parse>["topNode"];

/** Takes an expression apart. Variables of Grafana must have been replaced. */
export function parseQuery(expression: string): Query {
  const text = (node: Node) => expression.slice(node.from, node.to);
  const top = parser.parse(expression).topNode;
  const selectorsBelow = (node: Node) => below(node, "VectorSelector").map((selector) => selectorOf(selector, text));
  const aggregations = below(top, "AggregateExpr");
  const groupings = aggregations.flatMap((aggregation) => {
    const selectors = selectorsBelow(aggregation);
    return labelsOf(aggregation.getChild("AggregateModifier"), text).map((label) => ({ label, selectors }));
  });
  const joined = below(top, "MatchingModifierClause").flatMap((clause) =>
    labelsOf(clause, text).map((label) => ({ label, selectors: [] }))
  );
  const outermost = aggregations[0]?.getChild("AggregateModifier");
  return {
    problems: [
      ...errorsBelow(top).map((node) => `not PromQL at ${node.from}: ${text(node) || "something is missing"}`),
      ...below(top, "AggregateModifier").filter((node) => node.getChild("Without") !== null).map(text)
        .map((words) => `${words}: say by which labels, and not without which`),
      ...aggregations.flatMap((outer) => lostWithin(outer, text)),
    ],
    selectors: selectorsBelow(top),
    groupings: [...groupings, ...joined],
    resultLabels: outermost === undefined ? undefined : labelsOf(outermost, text),
  };
}

/** Labels by which an aggregation goes, and which another one below it has not left. */
function lostWithin(outer: Node, text: (node: Node) => string): string[] {
  const asked = labelsOf(outer.getChild("AggregateModifier"), text);
  return below(outer, "AggregateExpr").slice(1).flatMap((inner) => {
    const left = labelsOf(inner.getChild("AggregateModifier"), text);
    return asked.filter((label) => !left.includes(label)).map((label) => `${label} is lost in ${text(inner)}`);
  });
}

function selectorOf(node: Node, text: (node: Node) => string): Selector {
  const name = node.getChild("Identifier");
  return {
    metric: name === null ? "" : text(name),
    matchers: below(node, "UnquotedLabelMatcher").map((matcher) => ({
      label: text(matcher.getChild("LabelName")!),
      operator: text(matcher.getChild("MatchOp")!),
      value: text(matcher.getChild("StringLiteral")!).slice(1, -1),
    })),
  };
}

function labelsOf(node: Node | null, text: (node: Node) => string): string[] {
  return node === null ? [] : below(node, "LabelName").map(text);
}

/** The nodes of that name below one, itself included, the outer ones first. */
function below(node: Node, name: string): Node[] {
  return nodesBelow(node).filter((each) => each.name === name);
}

function errorsBelow(node: Node): Node[] {
  return nodesBelow(node).filter((each) => each.type.isError);
}

function nodesBelow(node: Node): Node[] {
  const nodes: Node[] = [];
  node.cursor().iterate((each) => void nodes.push(each.node));
  return nodes;
}
