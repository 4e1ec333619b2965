/** The text form of arrays, against a reader of its own; tests/integration/store_test.ts shows it to PostgreSQL. */
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { arrayLiteral, column } from "../../src/store/postgres/arrays.ts";

/** Each value and its text, as PostgreSQL's manual has it (section 8.15). */
const FORMS: readonly [values: (string | number | boolean | undefined)[], literal: string][] = [
  [[], "{}"],
  [[1, -2, 0], "{1,-2,0}"],
  [[true, false], "{true,false}"],
  [[undefined], "{NULL}"],
  [[1, undefined, 3], "{1,NULL,3}"],
  [["a", "b"], '{"a","b"}'],
  [[""], '{""}'],
  [["NULL"], '{"NULL"}'],
  [['say "hi"'], '{"say \\"hi\\""}'],
  [["back\\slash"], '{"back\\\\slash"}'],
  [["{1,2}", "a,b", " c "], '{"{1,2}","a,b"," c "}'],
];

for (const [values, literal] of FORMS) {
  Deno.test(`${JSON.stringify(values)} is written ${literal}`, () => {
    assertEquals(arrayLiteral(values), literal);
  });
}

Deno.test("whatever texts go in are read back the same", () => {
  const text = fc.oneof(fc.string({ unit: "binary" }), fc.string({ unit: fc.constantFrom(..."\"\\{},' NULnul\n\t") }));
  const element = fc.option(text, { nil: undefined });
  fc.assert(fc.property(fc.array(element), (values) => assertEquals(read(arrayLiteral(values)), values)));
});

Deno.test("a column is the array of its rows' values, whichever of them follow each other", () => {
  const element = fc.constantFrom(undefined, "NULL", "", "a", 'a"', "a\\", 0, 1, true);
  fc.assert(fc.property(fc.array(element), (values) => {
    assertEquals(column(values.map((value) => ({ value })), ({ value }) => value), arrayLiteral(values));
  }));
});

/** Reads the text form letter by letter. */
function read(literal: string): (string | undefined)[] {
  const values: (string | undefined)[] = [];
  const letters = literal.slice(1, -1);
  let at = 0;
  while (at < letters.length) {
    if (letters[at] !== '"') {
      const end = letters.indexOf(",", at) < 0 ? letters.length : letters.indexOf(",", at);
      assertEquals(letters.slice(at, end), "NULL");
      values.push(undefined);
      at = end + 1;
      continue;
    }
    let value = "";
    for (at++; letters[at] !== '"'; at++) {
      if (letters[at] === "\\") at++;
      value += letters[at];
    }
    values.push(value);
    at += 2;
  }
  return values;
}
