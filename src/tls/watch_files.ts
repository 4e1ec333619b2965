/** Looks at the files of a certificate now and then, and when asked, and does what `renewal.ts` makes of it. */
import { errorFields, type Log } from "../telemetry/log.ts";
import type { KeyPair } from "./key_pair.ts";
import type { FilesRead, Renewal, Said } from "./renewal.ts";

/** How often the files are looked at, in ms. */
const LOOK_EVERY_MS = 5_000;

/** What the watch is given. */
export interface WatchOptions {
  readonly renewal: Renewal;
  readonly read: () => Promise<FilesRead>;
  /** Takes a pair into use. */
  readonly use: (pair: KeyPair) => void;
  readonly log: Log;
}

/** A watch over the files. */
export interface Watch {
  /** Looks now, and says what came of it. Does not reject. */
  ask(): Promise<void>;
  /** Looks no more. */
  stop(): void;
}

/** Says what is in use, and watches. Does not keep the process running. */
export function watchFiles({ renewal, read, use, log }: WatchOptions): Watch {
  let isOver = false;
  let looking: Promise<void> = Promise.resolve();
  const say = ({ level, fields, message }: Said) => log[level](fields, message);
  renewal.begin(Date.now()).forEach(say);
  const timer = setInterval(() => void look(false), LOOK_EVERY_MS);
  Deno.unrefTimer(timer as unknown as number);
  return {
    ask: () => look(true),
    stop() {
      isOver = true;
      clearInterval(timer);
    },
  };

  /** One look at a time, in the sequence in which they were wanted. */
  function look(isAsked: boolean): Promise<void> {
    return looking = looking.then(async () => {
      const found = await read();
      if (isOver) return;
      const { use: pair, said } = renewal.take(found, isAsked, Date.now());
      if (pair !== undefined) use(pair);
      said.forEach(say);
    }).catch((error) => log.error({ error: errorFields(error) }, "the certificate's files can't be looked at"));
  }
}
