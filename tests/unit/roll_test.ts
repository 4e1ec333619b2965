/** A roll has who came and has not left, in the sequence in which they came. */
import { assertEquals, assertThrows } from "@std/assert";
import { Member, Roll } from "../../src/base/roll.ts";

class Named extends Member {
  constructor(readonly name: string) {
    super();
  }
}

/** A roll of these, and who is on it. */
function rollOf(names: string) {
  const roll = new Roll<Named>();
  const members = [...names].map((name) => new Named(name));
  members.forEach((member) => roll.add(member));
  return { roll, members, names: () => [...roll].map(({ name }) => name).join("") };
}

Deno.test("whoever leaves, first, last or between, leaves the others in their sequence", () => {
  for (const [leaving, left] of [["a", "bcd"], ["d", "abc"], ["b", "acd"], ["ad", "bc"], ["cb", "ad"], ["abcd", ""]]) {
    const { roll, members, names } = rollOf("abcd");
    for (const name of leaving!) assertEquals(roll.delete(members.find((member) => member.name === name)!), true);
    assertEquals(names(), left);
    assertEquals(roll.size, left!.length);
    assertEquals(roll.first?.name, left![0]);
  }
});

Deno.test("who has left names nobody any more, leaves no second time, and may come again as the last", () => {
  const { roll, members: [, b], names } = rollOf("abc");
  roll.delete(b!);
  assertEquals({ ...b }, { name: "b", roll: undefined, before: undefined, after: undefined });
  assertEquals(roll.delete(b!), false);
  roll.add(b!);
  assertEquals(names(), "acb");
});

Deno.test("nobody is on two rolls, or is taken off another's", () => {
  const { members: [a] } = rollOf("a");
  const other = new Roll<Named>();
  assertThrows(() => other.add(a!));
  assertEquals(other.delete(a!), false);
  assertEquals(other.size, 0);
});

Deno.test("who leaves while the roll is gone through is not met any more, and who comes is not yet", () => {
  const { roll, members: [a, b] } = rollOf("abcd");
  const met: string[] = [];
  for (const member of roll) {
    met.push(member.name);
    if (member === a) {
      roll.delete(a!);
      roll.delete(b!);
      roll.add(new Named("e"));
    }
  }
  assertEquals(met.join(""), "acd");
});
