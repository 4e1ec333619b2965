/** Which name a client's certificate has by its bytes, and what of it counts. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { X509Certificate } from "node:crypto";
import fc from "fast-check";
import { certificateNames } from "../../src/auth/certificate_names.ts";
import { MtlsVerifier } from "../../src/auth/mtls.ts";
import { isCertificateName } from "../../src/auth/mtls_rules.ts";
import { type ClientCertificate, UnauthenticatedError } from "../../src/auth/verifier.ts";
import { DerError } from "../../src/base/der.ts";
import { parseMtlsRights } from "../../src/config/caller_settings.ts";
import { CLIENTS } from "../support/tls/client_certificates.ts";

const RIGHTS = parseMtlsRights("spiffe://shop/orders=seller,dns:ops.shop=operator,dns:pos.shop=seller,cn:till=reader");
const bytesOf = (pem: string) => new Uint8Array(new X509Certificate(pem).raw);

/** The name that counts, or why none does. */
function named(pem: string, doubt?: "untrusted" | "expired"): string {
  const names = (() => {
    try {
      return certificateNames(bytesOf(pem));
    } catch (error) {
      assert(error instanceof DerError);
    }
  })();
  const certificate: ClientCertificate = { names, doubt: () => doubt };
  try {
    const identity = new MtlsVerifier(RIGHTS).verify({ bearer: undefined, certificate, address: "" })!;
    return `${identity.name}: ${[...identity.rights].join(" ")}`;
  } catch (error) {
    assert(error instanceof UnauthenticatedError);
    return error.reason;
  }
}

Deno.test("one name of a certificate counts, the strongest kind before the others, and only where it is listed", () => {
  const expected: { readonly [C in keyof typeof CLIENTS]?: string } = {
    orders: "spiffe://shop/orders: seller reader",
    ops: "dns:ops.shop: operator reader seller stocker",
    till: "cn:till: reader",
    upperCase: "dns:ops.shop: operator reader seller stocker",
    unlisted: "unknown",
    twoUris: "malformed",
    twoNames: "malformed",
    twoCommonNames: "malformed",
    nameBeside: "unknown",
    nameAsCommon: "unknown",
    spiffeAsCommon: "unknown",
    comma: "malformed",
    quoted: "malformed",
    plainComma: "malformed",
    zero: "malformed",
    zeroName: "malformed",
    mail: "unknown",
  };
  for (const [name, result] of Object.entries(expected)) {
    assertEquals(named(CLIENTS[name as keyof typeof CLIENTS]), result, name);
  }
  assertEquals(named(CLIENTS.orders, "untrusted"), "untrusted");
  assertEquals(named(CLIENTS.orders, "expired"), "expired");
});

Deno.test("what the runtime makes of the names as text can't be used: one that has a comma looks like two", () => {
  assertEquals(new X509Certificate(CLIENTS.plainComma).subjectAltName, "DNS:x, DNS:ops.shop");
});

Deno.test("bytes that are cut off or changed are refused as such, and nothing else is thrown", () => {
  const whole = bytesOf(CLIENTS.orders);
  for (let length = 0; length < whole.length; length++) {
    assertThrows(() => certificateNames(whole.subarray(0, length)), DerError);
  }
  fc.assert(fc.property(fc.nat(whole.length - 1), fc.nat(255), (at, byte) => {
    const changed = Uint8Array.from(whole);
    changed[at] = byte;
    try {
      certificateNames(changed);
    } catch (error) {
      assert(error instanceof DerError, String(error));
    }
  }));
  const deep = Uint8Array.from({ length: 2000 }, (_, i) => i % 2 === 0 ? 0x30 : 0x80);
  assertThrows(() => certificateNames(deep), DerError);
});

Deno.test("names that the rights may list", () => {
  const good = ["spiffe://shop/orders", "spiffe://a.b-c_d/ns/x/sa/Y.z", "dns:a", "dns:pos.shop.example", "cn:Till 7"];
  const bad = [
    ...["spiffe://shop", "spiffe://shop/", "spiffe://Shop/x", "spiffe://shop/../x", "spiffe://shop/x?y", "spiffe:shop"],
    ...["SPIFFE://shop/x", "spiffe://shop/%41", "spiffe://u@shop/x", "spiffe://shop:1/x", "orders", "dns:", "dns:A"],
    ...["dns:*.shop", "dns:-a", "dns:a..b", "cn:", "cn:a=b", "cn:a,b", "cn:ä", `cn:${"x".repeat(126)}`],
  ];
  assertEquals(good.filter((name) => !isCertificateName(name)), []);
  assertEquals(bad.filter(isCertificateName), []);
});
