import { ownLanguage } from "../client/times.ts";
import { devices, inWords } from "../react/words.ts";
import { button, element, set } from "./markup.ts";

/** Asks for confirmation in a dialog that says what will happen, then calls `end` and removes the dialog. */
export function askToEndOthers(root: ShadowRoot, count: number, end: () => Promise<void>): void {
  const problem = element("p", { class: "lk-problem", role: "alert" });
  problem.hidden = true;
  const act = async (): Promise<void> => {
    if (confirm.hasAttribute("data-working")) return;
    set(confirm, "data-working", true);
    problem.hidden = true;
    try {
      await end();
      dialog.close();
    } catch (error) {
      problem.textContent = inWords(error).sentence;
      problem.hidden = false;
    } finally {
      set(confirm, "data-working", false);
    }
  };
  const confirm = button("Log out other devices", "lk-main", () => void act());
  const cancel = button("Cancel", "lk-quiet", () => dialog.close());
  const dialog: HTMLDialogElement = element(
    "dialog",
    {
      ...ownLanguage(),
      class: "lk-dialog",
      role: "alertdialog",
      "aria-labelledby": "title",
      "aria-describedby": "words",
    },
    element("h2", { id: "title" }, "Log out other devices"),
    element("p", { id: "words" }, `This logs out ${devices(count)}. You stay logged in here.`),
    problem,
    element("div", { class: "lk-actions" }, confirm, cancel),
  );
  dialog.addEventListener("close", () => {
    dialog.remove();
    // The button that opened the dialog can't take the focus if it is disabled, with no device left.
    if (root.activeElement === null) root.querySelector("h2")?.focus();
  });
  root.append(dialog);
  dialog.showModal();
  cancel.focus();
}
