/** Questions one after another in VS Code's quick input, with their number and a way back. */
import * as vscode from "vscode";

/** The user wants the question before. */
export const BACK = Symbol("back");

/** Where a question stands among others; a single one shows no number. */
export interface StepPlace {
  title: string;
  /** From 1. */
  step: number;
  totalSteps: number;
}

/** Undefined: the user cancelled all of it. */
type Answer<T> = T | typeof BACK | undefined;

/**
 * Asks the questions `stepAt(0)`, `stepAt(1)`… until an index has no step; each stores its own answer. Going back asks the
 * one before again. False when the user cancelled.
 */
export async function askInSteps(
  stepAt: (index: number) => (() => Promise<Answer<true>>) | undefined,
): Promise<boolean> {
  let index = 0;
  for (let step = stepAt(index); step; step = stepAt(index)) {
    const answer = await step();
    if (answer === undefined) return false;
    index += answer === BACK ? -1 : 1;
  }
  return true;
}

interface TextQuestion extends StepPlace {
  prompt: string;
  value?: string;
  placeholder?: string;
  /** What is wrong with the text, in words; undefined when it is right. */
  validate(text: string): string | undefined;
  isSecret?: boolean;
  /** A button beside the question, which stays open. */
  button?: vscode.QuickInputButton & { run(): void };
}

export async function askText(question: TextQuestion): Promise<Answer<string>> {
  const input = vscode.window.createInputBox();
  const { prompt, value = "", placeholder, validate, isSecret = false, button } = question;
  Object.assign(input, { prompt, value, ...(placeholder === undefined ? {} : { placeholder }) });
  input.password = isSecret;
  if (button) input.buttons = [button];
  input.onDidTriggerButton((pressed) => {
    if (pressed === button) button?.run();
  });
  input.onDidChangeValue((text) => {
    input.validationMessage = validate(text);
  });
  return await answered(input, question, () => {
    input.validationMessage = validate(input.value);
    return input.validationMessage === undefined ? input.value : undefined;
  });
}

interface Choice<Item extends vscode.QuickPickItem> extends StepPlace {
  items: readonly Item[];
  placeholder: string;
  picked?: readonly Item[];
  /** How many have to be chosen, 0 unless it is said. */
  least?: number;
}

/** Any number of the items. */
export async function askMany<Item extends vscode.QuickPickItem>(
  question: Choice<Item>,
): Promise<Answer<readonly Item[]>> {
  const pick = quickPick(question);
  pick.canSelectMany = true;
  pick.selectedItems = question.picked ?? [];
  const { least = 0 } = question;
  return await answered(pick, question, () =>
    pick.selectedItems.length < least ? undefined : pick.selectedItems,
  );
}

export async function askOne<Item extends vscode.QuickPickItem>(
  question: Choice<Item>,
): Promise<Answer<Item>> {
  const pick = quickPick(question);
  return await answered(pick, question, () => pick.selectedItems[0]);
}

function quickPick<Item extends vscode.QuickPickItem>({
  items,
  placeholder,
}: Choice<Item>): vscode.QuickPick<Item> {
  const pick = vscode.window.createQuickPick<Item>();
  pick.items = items;
  pick.placeholder = placeholder;
  pick.matchOnDescription = true;
  return pick;
}

/** Shows the input until it is answered; `answer` is undefined while the input is not valid. */
async function answered<T>(
  input: vscode.QuickInput & Pick<vscode.InputBox, "buttons" | "onDidTriggerButton" | "onDidAccept">,
  { title, step, totalSteps }: StepPlace,
  answer: () => T | undefined,
): Promise<Answer<T>> {
  input.title = title;
  input.ignoreFocusOut = true;
  if (totalSteps > 1) Object.assign(input, { step, totalSteps });
  if (step > 1) input.buttons = [vscode.QuickInputButtons.Back, ...input.buttons];
  return await new Promise((resolve) => {
    input.onDidTriggerButton((button) => {
      if (button !== vscode.QuickInputButtons.Back) return;
      resolve(BACK);
      input.hide();
    });
    input.onDidAccept(() => {
      const given = answer();
      if (given === undefined) return;
      resolve(given);
      input.hide();
    });
    input.onDidHide(() => {
      // Without an effect after an answer.
      resolve(undefined);
      input.dispose();
    });
    input.show();
  });
}
