/**
 * The names in a certificate, from its bytes. Not from the text that `node:tls` makes of them: there Deno 2.9.3 puts
 * `, URI:` between the names and escapes none of it, so that one name with that in it looks like two (what Node had as
 * CVE-2021-44532). Pure.
 */
import { type DerElement, derElements, DerError, derWithin } from "../base/der.ts";

/** What a certificate calls itself. */
export interface CertificateNames {
  readonly uris: readonly string[];
  readonly dnsNames: readonly string[];
  readonly commonNames: readonly string[];
  /** Whether it has subject alternative names at all, of whatever kind: then its common name is for people. */
  readonly hasAlternatives: boolean;
}

/** Names of one certificate. */
const NAMES_MAX = 100;

const SEQUENCE = 0x30;
const SET = 0x31;
const OBJECT_ID = 0x06;
const OCTETS = 0x04;
/** UTF8String, PrintableString, IA5String: those in which ASCII stands as it is. */
const TEXTS = new Set([0x0c, 0x13, 0x16]);
const VERSION = 0xa0;
const EXTENSIONS = 0xa3;
const DNS_NAME = 0x82;
const URI = 0x86;
/** 2.5.29.17 and 2.5.4.3. */
const ALTERNATIVE_NAMES = "551d11";
const COMMON_NAME = "550403";
/** From serial number to extensions, as they follow in a certificate (RFC 5280, section 4.1). */
const SUBJECT = 4;

/**
 * Reads them. Characters beside visible ASCII, a NUL among them, are in no name that the settings could list.
 *
 * @throws DerError where it is no certificate, or has a name with other characters, or too many
 */
export function certificateNames(certificate: Uint8Array): CertificateNames {
  const [body] = derWithin(certificate, SEQUENCE);
  if (body?.tag !== SEQUENCE) throw new DerError("no certificate");
  const fields = derElements(body.content);
  const rest = fields[0]?.tag === VERSION ? fields.slice(1) : fields;
  const subject = rest[SUBJECT];
  if (subject?.tag !== SEQUENCE) throw new DerError("no subject");
  const extensions = rest.filter(({ tag }) => tag === EXTENSIONS).flatMap(({ content }) =>
    derWithin(content, SEQUENCE)
  );
  const alternatives = extensions.flatMap((extension) => valueOf(extension, ALTERNATIVE_NAMES));
  if (alternatives.length > 1) throw new DerError("alternative names twice");
  const names = alternatives.flatMap((value) => derWithin(value, SEQUENCE));
  const commonNames = commonNamesOf(subject);
  if (names.length + commonNames.length > NAMES_MAX) throw new DerError("too many names");
  return {
    uris: names.filter(({ tag }) => tag === URI).map((name) => textOf(name)),
    dnsNames: names.filter(({ tag }) => tag === DNS_NAME).map((name) => textOf(name)),
    commonNames,
    hasAlternatives: alternatives.length > 0,
  };
}

/** The value of an extension, where it is this one. */
function valueOf({ tag, content }: DerElement, id: string): Uint8Array[] {
  const parts = tag === SEQUENCE ? derElements(content) : [];
  const value = parts.at(-1);
  if (parts[0]?.tag !== OBJECT_ID || hexOf(parts[0].content) !== id) return [];
  if (value?.tag !== OCTETS) throw new DerError("an extension without a value");
  return [value.content];
}

function commonNamesOf(subject: DerElement): string[] {
  return derElements(subject.content).flatMap(({ tag, content }) => tag === SET ? derElements(content) : [])
    .flatMap(({ content }) => {
      const [id, value] = derElements(content);
      if (id?.tag !== OBJECT_ID || value === undefined || hexOf(id.content) !== COMMON_NAME) return [];
      if (!TEXTS.has(value.tag)) throw new DerError("a common name in characters that are not read");
      return [textOf(value, " ")];
    });
}

/** @param least the first character of ASCII that may stand in it */
function textOf({ content }: DerElement, least = "!"): string {
  if (content.length === 0 || !content.every((byte) => byte >= least.charCodeAt(0) && byte <= 0x7e)) {
    throw new DerError("a name with characters beside visible ASCII");
  }
  return String.fromCharCode(...content);
}

function hexOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
