/** Lists in the order of arrival. Pure. */

/** Where in the list, which is sorted by number, one of this number stands or would stand. */
export function placeOf(list: readonly { readonly number: number }[], number: number): number {
  const [first] = list;
  const last = list.at(-1);
  // Nearly all come in at the end and leave at the head.
  if (first === undefined || first.number >= number) return 0;
  if (last === undefined || last.number < number) return list.length;
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((list[middle]?.number ?? Infinity) < number) low = middle + 1;
    else high = middle;
  }
  return low;
}
