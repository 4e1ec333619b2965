/**
 * The files of a certificate and its key, and of the authorities of clients' certificates: read within bounds, and
 * looked through for whether they can serve.
 */
import { readSmallFile, UnreadableFileError } from "../base/small_file.ts";
import { readAuthorities } from "./client_authorities.ts";
import { type FileProblem, type KeyPair, readKeyPair } from "./key_pair.ts";
import type { FilesRead } from "./renewal.ts";
import { trialHandshake } from "./trial_handshake.ts";

/** Paths. */
export interface TlsFiles {
  readonly cert: string;
  readonly key: string;
  /** Absent: clients are asked for no certificates. */
  readonly clientCa?: string | undefined;
}

/**
 * Reads the files, at the time `nowMs`; `hosts` are names and addresses that clients will ask for. What is wrong with
 * the files is named as problems. Nothing is tried again of files that contain what `last` found good.
 */
export async function readTlsFiles(
  files: TlsFiles,
  nowMs: number,
  hosts: readonly string[],
  last?: FilesRead,
): Promise<FilesRead> {
  const [cert, key, ca] = await Promise.all([
    readText(files.cert),
    readText(files.key),
    files.clientCa === undefined ? undefined : readClientCa(files.clientCa),
  ]);
  const found = { cert, key, ...(ca === undefined ? {} : { clientCa: ca }) };
  const unread = Object.entries(found).flatMap(([file, read]): FileProblem[] =>
    "problem" in read ? [{ file: file as FileProblem["file"], problem: read.problem }] : []
  );
  if ("problem" in cert || "problem" in key || (ca !== undefined && "problem" in ca)) {
    return { problems: unread, content: JSON.stringify(found) };
  }
  const clientCa = ca === undefined ? {} : { clientCa: ca.text };
  const texts: KeyPair = { cert: cert.text, key: key.text, ...clientCa };
  const content = JSON.stringify(texts);
  if (last !== undefined && "pair" in last && last.content === content) return last;
  const read = readKeyPair(texts, nowMs, hosts);
  if ("problems" in read) return { ...read, content };
  const refusal = await trialHandshake(read.pair);
  if (refusal === undefined) return { ...read, pair: { ...read.pair, ...clientCa }, content };
  return {
    problems: [{ file: "cert", problem: `no handshake comes about with this certificate and key (${refusal})` }],
    content,
  };
}

async function readClientCa(path: string): Promise<{ text: string } | { problem: string }> {
  const read = await readText(path);
  if ("problem" in read) return read;
  const authorities = readAuthorities(read.text);
  return "problem" in authorities ? authorities : { text: authorities.pem };
}

async function readText(path: string): Promise<{ text: string } | { problem: string }> {
  try {
    return { text: await readSmallFile(path) };
  } catch (error) {
    if (!(error instanceof UnreadableFileError)) throw error;
    return { problem: error.message };
  }
}
