/** The two files of a certificate and its key: read within bounds, and looked through for whether they can serve. */
import { readSmallFile, UnreadableFileError } from "../base/small_file.ts";
import { type FileProblem, type KeyPair, readKeyPair } from "./key_pair.ts";
import type { FilesRead } from "./renewal.ts";
import { trialHandshake } from "./trial_handshake.ts";

/** Paths. */
export interface TlsFiles {
  readonly cert: string;
  readonly key: string;
}

/**
 * Reads both files, at the time `nowMs`; `hosts` are names and addresses that clients will ask for. What is wrong with
 * the files is named as problems. Nothing is tried again of files that contain what `last` found good.
 */
export async function readTlsFiles(
  files: TlsFiles,
  nowMs: number,
  hosts: readonly string[],
  last?: FilesRead,
): Promise<FilesRead> {
  const [cert, key] = await Promise.all([readText(files.cert), readText(files.key)]);
  if ("problem" in cert || "problem" in key) {
    const problems: FileProblem[] = [
      ...("problem" in cert ? [{ file: "cert", problem: cert.problem } as const] : []),
      ...("problem" in key ? [{ file: "key", problem: key.problem } as const] : []),
    ];
    return { problems, content: JSON.stringify(problems) };
  }
  const texts: KeyPair = { cert: cert.text, key: key.text };
  const content = JSON.stringify(texts);
  if (last !== undefined && "pair" in last && last.content === content) return last;
  const read = readKeyPair(texts, nowMs, hosts);
  if ("problems" in read) return { ...read, content };
  const refusal = await trialHandshake(read.pair);
  if (refusal === undefined) return { ...read, content };
  return {
    problems: [{ file: "cert", problem: `no handshake comes about with this certificate and key (${refusal})` }],
    content,
  };
}

async function readText(path: string): Promise<{ text: string } | { problem: string }> {
  try {
    return { text: await readSmallFile(path) };
  } catch (error) {
    if (!(error instanceof UnreadableFileError)) throw error;
    return { problem: error.message };
  }
}
