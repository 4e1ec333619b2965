/** What the plain model answers to operations on stock. */
import type { Expecting } from "../../../src/inventory/operations/expected.ts";
import type { Operation } from "../../../src/inventory/operations/operation.ts";
import { placeText, type Quantities, type SeenVerdict } from "../seen_verdict.ts";
import { LIMIT, text, type World } from "./world.ts";

type Of<K extends Operation["kind"]> = Extract<Operation, { kind: K }>;

/** Makes it so many. */
export function set(
  world: World,
  { operationId: id, num, basis, expectedNum, expectedVersion, ...place }: Of<"set">,
): SeenVerdict {
  const name = placeText(place);
  const shelf = world.shelves.get(name);
  const kept = basis === "on_hand" ? 0 : world.reserved(name) + (shelf?.policy.safetyStock ?? 0);
  const seen = () => ({ ok: "set", place: name, available: world.available(name), version: world.changes(name) });
  const made = world.records.get(id);
  if (made !== undefined) return made.answer;
  const differs = expectedVersion !== undefined && expectedVersion !== world.changes(name) ||
    expectedNum !== undefined && expectedNum !== (shelf?.units ?? 0) - kept;
  if (differs) return { no: "not_as_expected", place: name, version: world.changes(name) };
  const delta = num + kept - (shelf?.units ?? 0);
  if (num + kept > LIMIT) return { no: "out_of_range", of: "on_hand", places: [name] };
  if (delta > LIMIT) return { no: "out_of_range", of: "rise", places: [name] };
  const spare = world.spare(name);
  if (shelf !== undefined && -delta > spare) return { no: "short_stock", lines: [[name, -delta, spare]] };
  if (shelf !== undefined && !shelf.closed && delta === 0) return seen();
  world.move(name, delta, { says: true });
  world.shelves.get(name)!.closed = false;
  return world.record(id, "set", "", seen());
}

/** Units of no order come back. */
export function giveBack(world: World, id: string, asked: Quantities): SeenVerdict {
  const before = world.before(id, "give_back", text(asked));
  if (before !== undefined) return before;
  const unknown = world.unknown(asked);
  if (unknown.length > 0) return { no: "unknown_goods", places: unknown };
  const over = world.over(asked);
  if (over.length > 0) return { no: "out_of_range", of: "on_hand", places: over };
  for (const name of Object.keys(asked)) world.move(name, asked[name]!);
  return world.record(id, "give_back", text(asked), { ok: "rollback", gave: asked });
}

/** Units come and go. */
export function adjust(world: World, id: string, by: Quantities, expecting: Expecting): SeenVerdict {
  const before = world.before(id, "adjust", text(by));
  if (before !== undefined) return before;
  const unknown = world.unknown(by);
  if (unknown.length > 0) return { no: "unknown_goods", places: unknown };
  const changed = unexpected(world, expecting);
  if (changed !== undefined) return changed;
  const over = world.over(by);
  if (over.length > 0) return { no: "out_of_range", of: "on_hand", places: over };
  const short = Object.keys(by).filter((name) => -by[name]! > world.spare(name));
  if (short.length > 0) {
    return { no: "short_stock", lines: short.map((name) => [name, -by[name]!, world.spare(name)]) };
  }
  for (const name of Object.keys(by)) world.move(name, by[name]!);
  return world.record(id, "adjust", text(by), world.stock(Object.keys(by)));
}

/** So many were counted. */
export function count(world: World, { operationId: id, num, occurredAtMs, ...place }: Of<"count">): SeenVerdict {
  const name = placeText(place);
  const content = `${num} at ${occurredAtMs ?? "now"} in ${name}`;
  const before = world.before(id, "count", content);
  if (before !== undefined) return before;
  const shelf = world.shelves.get(name);
  if (shelf === undefined || shelf.closed) return { no: "unknown_goods", places: [name] };
  const whenMs = Math.min(occurredAtMs ?? world.nowMs, world.nowMs);
  const later = shelf.moves.filter((move) => whenMs < world.nowMs && move.whenMs > whenMs);
  // Somebody has said since how many there are, and that stands.
  const stands = later.some(({ says }) => says);
  const to = stands ? shelf.units : later.reduce((sum, move) => sum + move.num, num);
  const delta = to - shelf.units;
  if (to > LIMIT) return { no: "out_of_range", of: "on_hand", places: [name] };
  if (delta > LIMIT) return { no: "out_of_range", of: "rise", places: [name] };
  const spare = world.spare(name);
  if (-delta > spare) return { no: "short_stock", lines: [[name, -delta, spare]] };
  world.move(name, delta, { whenMs, says: true });
  return world.record(id, "count", content, world.stock([name]));
}

/** Units go elsewhere. */
export function transfer(
  world: World,
  id: string,
  lines: Quantities,
  { toLocationId: to, ...expecting }: Of<"transfer">,
): SeenVerdict {
  const before = world.before(id, "transfer", `${text(lines)} to ${to}`);
  if (before !== undefined) return before;
  const target = (name: string) => placeText({ goodsId: Number(name.split("@")[0]), locationId: to });
  const names = Object.keys(lines);
  const closed = names.map(target).filter((name) => world.shelves.get(name)?.closed === true);
  const unknown = [...world.unknown(lines), ...closed];
  if (unknown.length > 0) return { no: "unknown_goods", places: unknown };
  const changed = unexpected(world, expecting);
  if (changed !== undefined) return changed;
  const free = (name: string) => Math.max(0, world.shelves.get(name)!.units - world.reserved(name));
  const short = names.filter((name) => lines[name]! > free(name));
  if (short.length > 0) return { no: "short_stock", lines: short.map((name) => [name, lines[name]!, free(name)]) };
  const over = names.filter((name) => (world.shelves.get(target(name))?.units ?? 0) + lines[name]! > LIMIT);
  if (over.length > 0) return { no: "out_of_range", of: "on_hand", places: over.map(target) };
  for (const name of names) {
    world.move(name, -lines[name]!);
    world.move(target(name), lines[name]!);
  }
  return world.record(
    id,
    "transfer",
    `${text(lines)} to ${to}`,
    world.stock(names.flatMap((name) => [name, target(name)])),
  );
}

/** Restricts sales. */
export function policy(world: World, { operationId: id, policy, expected = [], ...place }: Of<"policy">): SeenVerdict {
  const name = placeText(place);
  const shelf = world.shelves.get(name);
  const made = world.records.get(id);
  if (made !== undefined) return made.answer;
  if (shelf === undefined || shelf.closed) return { no: "unknown_goods", places: [name] };
  if (text(shelf.policy) === text(policy)) return { ...world.stock([name]), replayed: true };
  const changed = unexpected(world, { expected });
  if (changed !== undefined) return changed;
  const free = shelf.units - world.reserved(name);
  if (free < -policy.backorderMax) return { no: "below_floor", place: name, available: free };
  shelf.policy = policy;
  world.move(name, 0);
  return world.record(id, "policy", "", world.stock([name]));
}

/** Ends sales, or begins them again. */
export function close(
  world: World,
  { kind, operationId: id, expected = [], ...place }: Of<"delete"> | Of<"restore">,
): SeenVerdict {
  const name = placeText(place);
  const shelf = world.shelves.get(name);
  const made = world.records.get(id);
  if (made !== undefined) return made.answer;
  if (shelf === undefined) return { no: "unknown_goods", places: [name] };
  if (shelf.closed === (kind === "delete")) return { ...world.stock([name]), replayed: true };
  const changed = unexpected(world, { expected });
  if (changed !== undefined) return changed;
  const reserved = world.reserved(name);
  if (kind === "delete" && reserved > 0) return { no: "has_holds", place: name, reserved };
  shelf.closed = kind === "delete";
  world.move(name, 0);
  return world.record(id, kind, "", world.stock([name]));
}

/** The first place that does not stand at the version that was expected of it. */
function unexpected(world: World, { expected = [] }: Expecting): SeenVerdict | undefined {
  const other = expected.find(({ version, ...place }) => version !== world.changes(placeText(place)));
  if (other === undefined) return undefined;
  const name = placeText(other);
  return { no: "not_as_expected", place: name, version: world.changes(name) };
}
