/**
 * Modal dialogs that step aside and come back as they were: while one is shown nothing else of the page can be used,
 * and a reader whose key has expired has to sign in. Nothing that is typed in a dialog is touched.
 *
 *     shown --its reader, or who has it shown--> closed, which its opener hears
 *     shown --stepAside--> aside --stepBack----> shown
 */

interface Shown {
  /** What had the focus, and gets it again when the dialog is closed. */
  readonly opener: HTMLElement | null;
  readonly closed: () => void;
}

const shown = new Map<HTMLDialogElement, Shown>();
const aside = new Set<HTMLDialogElement>();

/** Shows it; `closed` hears, once, that it is closed for good. */
export function showModal(dialog: HTMLDialogElement, closed: () => void = () => {}): void {
  // One that was taken from the page while it was open closed without a word.
  for (const other of shown.keys()) if (!other.isConnected) shown.delete(other);
  shown.set(dialog, { opener: focused(), closed });
  dialog.addEventListener("close", heard);
  dialog.showModal();
}

/** Closes it, also while it is aside. */
export function closeModal(dialog: HTMLDialogElement): void {
  if (aside.delete(dialog)) end(dialog);
  else dialog.close();
}

/** Leaves the page to what is no dialog. */
export function stepAside(): void {
  for (const dialog of shown.keys()) {
    if (!dialog.open) continue;
    aside.add(dialog);
    dialog.close();
  }
}

/** All that have stepped aside and are still in the page are shown again, the latest in front. */
export function stepBack(): void {
  for (const dialog of aside) {
    if (dialog.isConnected) {
      shown.get(dialog)?.opener?.focus();
      dialog.showModal();
    } else shown.delete(dialog);
  }
  aside.clear();
}

/** The browser says it a moment after: of one that has stepped aside it is not meant, nor of one that is back. */
function heard({ currentTarget }: Event): void {
  const dialog = currentTarget as HTMLDialogElement;
  if (!aside.has(dialog) && !dialog.open) end(dialog);
}

function end(dialog: HTMLDialogElement): void {
  const { closed } = shown.get(dialog) ?? {};
  shown.delete(dialog);
  closed?.();
}

/** What has the focus, in whatever element's inside. */
function focused(): HTMLElement | null {
  let element = document.activeElement;
  while (element?.shadowRoot?.activeElement) element = element.shadowRoot.activeElement;
  return element as HTMLElement | null;
}
