/**
 * Those who watch a fleet from its beginning to the end: where its goods stand, and its ledger. They know the stream as
 * a client does: it ends with its process, and is taken up again at whatever process answers then.
 */
import { settledWithin } from "../../../src/base/bounded_wait.ts";
import { connectSource, type StreamLevel, type StreamMessage } from "../../support/stream_sources.ts";
import { placeOf, Watcher } from "../../support/watching_client.ts";
import type { Tables } from "./checker/tables.ts";
import type { Fleet } from "./fleet.ts";
import type { Sight, Watched } from "./history.ts";
import type { Random } from "./random.ts";

/** Whoever has not seen the last change by then never will. */
const SEEN_MS_MAX = 30_000;
const EACH_MS = 1_000;

/** One watcher, and what it saw. */
interface Eye {
  readonly watcher: Watcher;
  readonly watched: Omit<Watched, "due"> & { readonly sights: Sight[] };
}

/** The watchers of one fleet. */
export class Lookout {
  readonly #fleet: Fleet;
  readonly #random: Random;
  readonly #eyes: readonly Eye[];

  constructor(fleet: Fleet, random: Random) {
    this.#fleet = fleet;
    this.#random = random;
    this.#eyes = [this.#eye("levels", false), this.#eye("more levels", false), this.#eye("ledger", true)];
  }

  start(): void {
    for (const { watcher } of this.#eyes) watcher.start();
  }

  /**
   * Waits until all have seen what the tables have, for a bounded time, and answers what each saw. Holds expire
   * meanwhile: what was seen is to be checked against tables that are read afterwards.
   */
  async finish({ movements }: Tables): Promise<readonly Watched[]> {
    const due = [...Map.groupBy(movements, ({ goodsId, locationId = 0 }) => placeOf({ goodsId, locationId })).values()]
      .map(([first, ...more]) => ({
        goodsId: first!.goodsId,
        locationId: first!.locationId ?? 0,
        version: more.reduce((last, { version }) => Math.max(last, version), first!.version),
      }));
    const hasSeen = ({ levels }: Watcher) =>
      due.every(({ version, ...place }) => (levels.get(placeOf(place))?.version ?? 0) >= version);
    await settledWithin(Promise.allSettled(this.#eyes.map(({ watcher }) => watcher.until(hasSeen))), SEEN_MS_MAX);
    await Promise.all(this.#eyes.map(({ watcher }) => watcher.stop()));
    return this.#eyes.map(({ watched }) => ({ ...watched, due }));
  }

  #eye(name: string, isOfLedger: boolean): Eye {
    const sights: Sight[] = [];
    const watcher = new Watcher({
      name,
      dial: () => {
        const { answering } = this.#fleet;
        // The version before knows no streams, and the others are back soon.
        const members = answering.filter(({ server }) => server !== this.#fleet.guest);
        const url = members.length === 0 ? "http://127.0.0.1:9" : this.#random.pick(members).server.url;
        return connectSource(url, isOfLedger ? "Connect" : "gRPC-web", "1.1");
      },
      method: isOfLedger ? "WatchMovements" : "WatchInv",
      request: isOfLedger ? { from: { case: "beginning", value: true } } : {},
      random: () => this.#random.next(),
      backoffMsMax: EACH_MS,
      seen: (message) => sights.push(...sightsOf(message)),
    });
    return { watcher, watched: { name, isOfLedger, sights } };
  }
}

function sightsOf({ token, event }: StreamMessage): Sight[] {
  const kept: Sight[] = token === "" ? [] : [{ sight: "token" }];
  switch (event.case) {
    case "started":
      return [{ sight: "begun", anew: !["WATCH_START_RESUMED", "WATCH_START_NOW"].includes(event.start) }, ...kept];
    case "snapshot":
      return [{ sight: "snapshot", levels: event.levels.map(seen) }, ...kept];
    case "changes":
      return [
        { sight: "changes", changes: event.changes.map(({ level, folded }) => ({ ...seen(level), folded })) },
        ...kept,
      ];
    default:
      return kept;
  }
}

function seen({ goodsId, locationId, version, onHand, reserved }: StreamLevel) {
  return { goodsId, locationId, version, onHand, reserved };
}
