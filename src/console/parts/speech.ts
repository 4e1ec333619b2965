/** Troubles and numbers as they are said in the language of now. */
import { language, locale, wordsOf } from "../words/language.ts";
import * as ERRORS from "../words/errors.ts";
import * as LEDGER from "../words/ledger.ts";
import { type Formats, formatsOf } from "./formats.ts";
import { type Trouble, troubleOf } from "./trouble.ts";

/** The formats of now. */
export function formats(): Formats {
  return formatsOf(locale());
}

/** What to say of whatever a call threw. */
export function sayTrouble(thrown: unknown): Trouble {
  return troubleOf(thrown, { words: wordsOf(ERRORS), states: LEDGER[language()].states, formats: formats() });
}
