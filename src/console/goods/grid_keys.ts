/** What keys do in the table. */
import { type Move, moveOf } from "./columns.ts";

/** What a key can ask for. Each answers whether it did something; if not, the key is the browser's. */
export interface KeyActions {
  /** Quantities are typed or counted. */
  readonly isEditing: boolean;
  move(move: Move, isChoosing: boolean): boolean;
  /** Opens the row; in a field, goes on to the next one, or with `isBack` to the one before. */
  enter(isTyping: boolean, isBack: boolean): boolean;
  /** Gives up what is typed, else what is chosen, else editing itself. */
  escape(isTyping: boolean): boolean;
  /** Chooses the row, or all from the one that was chosen last. */
  choose(isRange: boolean): boolean;
  chooseAll(): boolean;
  startEditing(): boolean;
  /** Puts the cursor into the row's field, which then gets the key. */
  beginEntry(): void;
}

/** Whether the target is a field for a quantity. */
export function isEntry(target: EventTarget | null): target is HTMLInputElement {
  return target instanceof HTMLInputElement && target.type !== "checkbox";
}

/** Does what a key asks for; true: it did. In a field, keys that move within its text are the field's. */
export function handleKey(event: KeyboardEvent, actions: KeyActions): boolean {
  const { key, shiftKey, altKey, target } = event;
  const isControl = event.ctrlKey || event.metaKey;
  const isTyping = isEntry(target);
  const move = moveOf(key, isControl);
  if (altKey) return false;
  if (move !== undefined) {
    const isOfText = isTyping && !["up", "down", "page_up", "page_down"].includes(move);
    return !isOfText && actions.move(move, shiftKey);
  }
  if (key === "Escape") return actions.escape(isTyping);
  if (key === "Enter") {
    const isPressed = target instanceof Element && target.closest("button, a") !== null;
    return !isPressed && actions.enter(isTyping, shiftKey);
  }
  if (isTyping) return false;
  if (isControl) return key.toLowerCase() === "a" && actions.chooseAll();
  if (key === " ") return !(target instanceof HTMLInputElement) && actions.choose(shiftKey);
  if (key.toLowerCase() === "e") return actions.startEditing();
  if (/^\d$/.test(key) && actions.isEditing) actions.beginEntry();
  return false;
}
