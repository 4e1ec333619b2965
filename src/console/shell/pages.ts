/** Brings the scripts of a page when it is first wanted, and those of the others when nothing else is to be done. */
import type { PageName } from "./route.ts";

const SCRIPTS: Readonly<Record<PageName, () => Promise<unknown>>> = {
  goods: () => import("../goods/goods_page.ts"),
  one_goods: () => import("../one_goods/one_goods_page.ts"),
  orders: () => import("../orders/orders_page.ts"),
  order: () => import("../orders/orders_page.ts"),
  system: () => import("../system/system_page.ts"),
};

/** A page that was just shown has these first, in ms. */
const OTHERS_AFTER_MS = 2_000;
const brought = new Set<PageName>();

/** Whether it can be shown at once. */
export function isBrought(page: PageName): boolean {
  return brought.has(page);
}

/**
 * Brings it, and later the others.
 *
 * @throws TypeError where the server does not have it, or can't be reached
 */
export async function bringPage(page: PageName): Promise<void> {
  await SCRIPTS[page]();
  brought.add(page);
  setTimeout(bringOthers, OTHERS_AFTER_MS);
}

function bringOthers(): void {
  for (const page of Object.keys(SCRIPTS) as PageName[]) {
    // One that does not come now is asked for again when it is wanted.
    if (!brought.has(page)) SCRIPTS[page]().then(() => brought.add(page), () => {});
  }
}
