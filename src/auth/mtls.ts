/** Certificates of clients: which name of one counts, and what its bearer may do. */
import { type Identity, isName } from "./identity.ts";
import type { CertificateNames } from "./certificate_names.ts";
import { isCertificateName, type MtlsRules } from "./mtls_rules.ts";
import { type ClientCertificate, type Credentials, UnauthenticatedError, type Verifier } from "./verifier.ts";

/** Verifies certificates, each once for its connection. Answers at once. */
export class MtlsVerifier implements Verifier {
  readonly #known = new WeakMap<ClientCertificate, Identity>();

  constructor(private readonly rights: MtlsRules["rights"]) {}

  verify({ certificate }: Credentials): Identity | undefined {
    if (certificate === undefined) return undefined;
    const doubt = certificate.doubt();
    if (doubt !== undefined) throw new UnauthenticatedError(doubt, labelOf(certificate.names));
    const known = this.#known.get(certificate);
    if (known !== undefined) return known;
    const name = nameOf(certificate.names, this.rights);
    const identity: Identity = {
      kind: "mtls",
      name,
      rights: this.rights.get(name)!,
      isValid: () => certificate.doubt() === undefined,
    };
    this.#known.set(certificate, identity);
    return identity;
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

/**
 * The name by which the rights list the certificate. The strongest kind that it has decides, and no other is looked at
 * then: a SPIFFE ID, of which there must be no second URI (SPIFFE X.509-SVID, section 2); else its DNS names, of
 * which one must be listed and no other; its common name only where it has no alternative names at all.
 *
 * @throws UnauthenticatedError
 */
function nameOf(names: CertificateNames | undefined, rights: MtlsRules["rights"]): string {
  if (names === undefined) throw new UnauthenticatedError("malformed");
  const { uris, dnsNames, commonNames, hasAlternatives } = names;
  const isSpiffe = uris.some((uri) => /^spiffe:/i.test(uri));
  const candidates = isSpiffe
    ? uris
    : hasAlternatives
    ? [...new Set(dnsNames.map((name) => `dns:${name.toLowerCase()}`))]
    : commonNames.map((name) => `cn:${name}`);
  const isOneTooMany = candidates.length > 1 && (isSpiffe || !hasAlternatives);
  if (isOneTooMany) throw new UnauthenticatedError("malformed", labelOf(names));
  const listed = candidates.filter((name) => isCertificateName(name) && rights.has(name));
  if (listed.length > 1) throw new UnauthenticatedError("malformed", labelOf(names));
  if (listed[0] === undefined) throw new UnauthenticatedError("unknown", labelOf(names));
  return listed[0];
}

/** Whose it says it is, for the audit line: the first name, where it is one that a line may have. */
function labelOf(names: CertificateNames | undefined): string | undefined {
  const first = names && (names.uris[0] ?? names.dnsNames[0] ?? names.commonNames[0]);
  return first !== undefined && isName(first) ? first : undefined;
}
