/** Reads the text of a key set from where it is, within bounds of size and time. */
import { readSmallFile, UnreadableFileError } from "../base/small_file.ts";
import { KEY_SET_BYTES_MAX, KeySetError } from "./jwt_key_set.ts";
import type { KeysPlace } from "./jwt_rules.ts";

/** Longest time for the whole answer, in ms. */
const ANSWER_MS_MAX = 5_000;
const TOO_LARGE = `has more than ${KEY_SET_BYTES_MAX} bytes, expected ${KEY_SET_BYTES_MAX} or fewer`;

/**
 * The text. Of a server that sends on to another place nothing is taken: the settings say where the keys are, and the
 * process may talk to no other.
 *
 * @throws KeySetError saying what came instead, without any of its content
 */
export async function readKeySetText(place: KeysPlace, stopped: AbortSignal, msMax = ANSWER_MS_MAX): Promise<string> {
  return "file" in place ? await readFile(place.file) : await readAnswer(place.url, stopped, msMax);
}

async function readFile(path: string): Promise<string> {
  try {
    const text = await readSmallFile(path);
    if (text.length <= KEY_SET_BYTES_MAX) return text;
  } catch (error) {
    if (error instanceof UnreadableFileError) throw new KeySetError(error.message);
    throw error;
  }
  throw new KeySetError(TOO_LARGE);
}

async function readAnswer(url: string, stopped: AbortSignal, msMax: number): Promise<string> {
  const late = AbortSignal.timeout(msMax);
  try {
    const answer = await fetch(url, {
      redirect: "manual",
      headers: { accept: "application/jwk-set+json, application/json" },
      signal: AbortSignal.any([late, stopped]),
    });
    if (answer.status === 200) return await boundedText(answer);
    await answer.body?.cancel();
    const where = answer.status >= 300 && answer.status < 400 ? ", expected the keys there and not a redirect" : "";
    throw new KeySetError(`answers with status ${answer.status}${where}`);
  } catch (error) {
    if (error instanceof KeySetError) throw error;
    if (late.aborted) throw new KeySetError(`has not answered in whole within ${msMax} ms`);
    // What the system says of it may name other addresses; the kind is enough beside the one of the settings.
    throw new KeySetError("can't be reached", { cause: error });
  }
}

/** The body as it is once unpacked, so that no small one becomes large. */
async function boundedText(answer: Response): Promise<string> {
  const decoder = new TextDecoder();
  let bytes = 0;
  let text = "";
  for await (const chunk of answer.body ?? []) {
    bytes += chunk.length;
    // Leaving the loop cancels the body.
    if (bytes > KEY_SET_BYTES_MAX) throw new KeySetError(TOO_LARGE);
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}
