/** The catalogue of the demo shop: skus as shops have them, of a family, a model, a colour and a size. */
import type { Draw } from "./random.ts";

const CLOTHES = ["XS", "S", "M", "L", "XL", "XXL"];
const SHOES = ["36", "37", "38", "39", "40", "41", "42", "43", "44", "45", "46"];
const JEANS = ["28", "30", "32", "34", "36", "38"].flatMap((w) => ["30", "32", "34"].map((l) => `${w}${l}`));
const COLOURS = ["BLK", "WHT", "NVY", "GRY", "RED", "GRN", "SND", "ROS"];
const FEW = ["BLK", "WHT", "NVY", "GRN"];

/** Families with their models, colours and sizes. */
const FAMILIES: readonly (readonly [family: string, models: string[], colours: string[], sizes: string[]])[] = [
  ["TEE", ["CREW", "VNECK", "LONG", "POCKET", "BOXY", "RINGER"], COLOURS, CLOTHES],
  ["HOOD", ["ZIP", "CLASSIC", "CROP", "RUNNER"], COLOURS, CLOTHES],
  ["SHIRT", ["OXFORD", "LINEN", "FLANNEL", "POPLIN", "DENIM"], COLOURS, CLOTHES],
  ["DRESS", ["WRAP", "MIDI", "SHIRT", "MAXI"], COLOURS, CLOTHES.slice(0, 5)],
  ["JEANS", ["SLIM", "STRAIGHT", "WIDE", "TAPER"], ["IND", "BLK", "STN"], JEANS],
  ["SNKR", ["RUN", "COURT", "TRAIL", "RETRO"], COLOURS, SHOES],
  ["BOOT", ["CHELSEA", "HIKE"], ["BLK", "BRN", "TAN"], SHOES],
  ["KNIT", ["CARDI", "ROLL", "CREW", "VEST"], COLOURS, CLOTHES],
  ["SHORT", ["CHINO", "SWIM", "BIKE"], COLOURS, CLOTHES],
  ["POLO", ["PIQUE", "TECH"], COLOURS, CLOTHES],
  ["JACKET", ["RAIN", "DOWN", "BOMBER"], FEW, CLOTHES],
  ["SOCK", ["ANKLE", "CREW", "WOOL"], COLOURS, ["3538", "3942", "4346"]],
  ["CAP", ["DAD", "BEANIE", "BUCKET"], COLOURS, ["OS"]],
  ["BAG", ["TOTE", "PACK", "DUFFEL", "SLING"], COLOURS, ["S", "L"]],
  ["MUG", ["STONE", "ENAMEL", "LATTE"], COLOURS, ["250", "350"]],
  ["BOTTLE", ["STEEL", "GLASS"], COLOURS, ["500", "750", "1000"]],
  ["TOWEL", ["BATH", "HAND", "BEACH"], COLOURS, ["50", "70", "100"]],
  ["LAMP", ["DESK", "FLOOR", "CLIP"], FEW, ["E14", "E27"]],
  ["CANDLE", ["FIG", "CEDAR", "LINEN", "AMBER", "MINT"], ["JAR", "TIN"], ["120", "220"]],
  ["TEA", ["ASSAM", "SENCHA", "EARL", "MINT", "ROOIBOS", "OOLONG"], ["BIO", "STD"], ["100G", "250G", "1KG"]],
  ["COFFEE", ["ETHIOPIA", "BRAZIL", "SUMATRA", "DECAF"], ["BEAN", "FILTER", "ESPRESSO"], ["250G", "500G", "1KG"]],
  ["NOTE", ["GRID", "DOT", "LINED"], COLOURS, ["A6", "A5", "A4"]],
];

/** Goods of the shop. */
export interface DemoGoods {
  readonly goodsId: number;
  readonly sku: string;
  /** Where it is sold: 0 is the warehouse, and others are shops. */
  readonly locationIds: readonly number[];
}

/** The shops beside the warehouse. */
const SHOPS = [1, 2];
/** Far from what a shop of one's own begins with. */
const FIRST_GOODS_ID = 700_001;

/** The whole catalogue in a sequence of its own, the most sought after first; `max`: no more than so many. */
export function demoCatalogue(draw: Draw, max = Infinity): DemoGoods[] {
  const skus = FAMILIES.flatMap(([family, models, colours, sizes]) =>
    models.flatMap((model) => colours.flatMap((colour) => sizes.map((size) => `${family}-${model}-${colour}-${size}`)))
  );
  for (let i = skus.length - 1; i > 0; i--) {
    const j = draw.below(i + 1);
    [skus[i], skus[j]] = [skus[j]!, skus[i]!];
  }
  return skus.slice(0, max).map((sku, i) => ({
    goodsId: FIRST_GOODS_ID + i,
    sku,
    locationIds: [0, ...SHOPS.filter((shop) => draw.isSo(shop === 1 ? 0.5 : 0.25))],
  }));
}
