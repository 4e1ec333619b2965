/** Text for terminals, in which nothing but letters that show is left as it is. Pure. */

/**
 * Control characters beyond ASCII (a terminal takes U+009B for the begin of a command), what turns the direction of
 * writing or is not to be seen, and the separators of lines that are none to JSON.
 */
const UNSEEN = /[\u007f-\u009f]|\p{Cf}|\u2028|\u2029/gu;

/**
 * The text with each of these as JSON writes it (`\u009b`). A line of JSON still says the same, as they can only stand
 * in its strings. What is below a space stays: JSON writes it so already, and colours and ends of lines are of it.
 */
export function printable(text: string): string {
  return text.replace(
    UNSEEN,
    (character) => character.split("").map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`).join(""),
  );
}
