/**
 * A stand-in of the module `vscode` for unit tests: what a user would see is recorded in `editor`, what a user would choose
 * comes from there. Only what the extension uses. The real one is tried in test/e2e.
 */
import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { sep } from "node:path";

type Answer = (shown: Shown) => unknown;

/** Something that asks or tells. */
export interface Shown {
  kind: "information" | "warning" | "error" | "quickPick" | "input";
  text: string;
  detail: string;
  items: string[];
}

interface Item {
  label: string;
}

const initial = () => ({
  shown: [] as Shown[],
  /** Answers to what is asked next, in order: a label or title to choose, a text, or a function. Nothing is chosen after them. */
  answers: [] as (string | string[] | symbol | undefined | Answer)[],
  executed: [] as { command: string; args: unknown[] }[],
  commands: new Map<string, (...args: unknown[]) => unknown>(),
  opened: [] as string[],
  shownDocuments: [] as string[],
  /** The line that each shown document was opened at, 0-based. */
  selections: [] as (number | undefined)[],
  clipboard: "",
  terminals: [] as { options: unknown; sent: string[] }[],
  settings: new Map<string, unknown>(),
  diagnostics: new Map<string, Diagnostic[]>(),
  context: new Map<string, unknown>(),
  statusBar: [] as { text: string; tooltip: unknown; visible: boolean }[],
  statusMessages: [] as string[],
  /** Progress that is shown as a notification at the moment. */
  notifications: [] as { text: string; button: string; cancel(): void }[],
  /** Webviews in tabs. */
  pages: [] as { title: string; webview: { html: string } }[],
  /** Why input boxes refused what was entered. */
  refused: [] as string[],
  titles: [] as string[],
  tools: new Map<string, unknown>(),
  uriHandler: undefined as { handleUri(uri: unknown): unknown } | undefined,
  tasks: [] as unknown[],
  /** Output channels, by their name. */
  channels: new Map<string, ReturnType<typeof logChannel>>(),
  trusted: true,
  /** What becomes of a URL of this machine where the browser runs on another one. */
  forward: (uri: Uri): Uri => uri,
  /** Of files, not disposed of. `change`: as if the file had changed. */
  watchers: [] as { pattern: string | RelativePattern; change(uri: Uri): void }[],
});

/** What the tests look at and set. */
export let editor = initial();

/** A new editor, with these folders open. */
export function resetEditor(folders: { name: string; path: string }[] = []): void {
  editor = initial();
  workspace.textDocuments = [];
  tasks.taskExecutions.length = 0;
  workspace.workspaceFolders = folders.map(({ name, path }, index) => ({ name, uri: Uri.file(path), index }));
}

export class RelativePattern {
  readonly baseUri: unknown;
  readonly pattern: string;

  constructor(base: unknown, pattern: string) {
    this.baseUri = base;
    this.pattern = pattern;
  }
}

export class EventEmitter<T> {
  readonly #listeners = new Set<(value: T) => unknown>();
  readonly event = (listener: (value: T) => unknown): Disposable => {
    this.#listeners.add(listener);
    return new Disposable(() => this.#listeners.delete(listener));
  };
  fire(value: T): void {
    for (const listener of this.#listeners) listener(value);
  }
  dispose(): void {
    this.#listeners.clear();
  }
}

interface Button {
  tooltip?: string;
}

/**
 * Asked as `showQuickPick`'s is, when it is shown and after each change of its items that an answer brought about: a label
 * accepts the item, `label > tooltip` presses the item's button, `?text` types a text.
 */
class QuickPick<T extends Item & { buttons?: Button[] }> {
  title = "";
  placeholder = "";
  busy = false;
  buttons: unknown[] = [];
  selectedItems: T[] = [];
  readonly #changed = new EventEmitter<string>();
  readonly #triggered = new EventEmitter<{ item: T; button: Button }>();
  readonly #accepted = new EventEmitter<void>();
  readonly #hidden = new EventEmitter<void>();
  readonly #back = new EventEmitter<unknown>();
  readonly onDidChangeValue = this.#changed.event;
  readonly onDidTriggerButton = this.#back.event;
  readonly onDidTriggerItemButton = this.#triggered.event;
  readonly onDidAccept = this.#accepted.event;
  readonly onDidHide = this.#hidden.event;
  #items: T[] = [];
  #isShown = false;
  #waits = false;

  get items(): T[] {
    return this.#items;
  }
  set items(items: T[]) {
    this.#items = items;
    if (this.#waits) this.#ask();
  }
  show(): void {
    this.#isShown = true;
    this.#ask();
  }
  hide(): void {
    if (!this.#isShown) return;
    this.#isShown = false;
    this.#hidden.fire();
  }
  dispose(): void {}

  #ask(): void {
    this.#waits = false;
    const labels = this.#items.map(({ label }) => label);
    const answer = ask("quickPick", this.title, this.placeholder, labels);
    if (answer === BACK) this.#back.fire(QuickInputButtons.Back);
    else if (Array.isArray(answer)) {
      this.selectedItems = this.#items.filter(({ label }) => answer.includes(label));
      this.#accepted.fire();
    } else if (typeof answer !== "string") this.hide();
    else this.#answer(answer, labels);
  }
  #answer(answer: string, labels: string[]): void {
    this.#waits = true;
    if (answer.startsWith("?")) {
      this.#changed.fire(answer.slice(1));
      return;
    }
    const [label, tooltip] = answer.split(" > ");
    const item = this.#items.find((candidate) => candidate.label === label);
    if (!item) throw new Error(`The quick pick has no "${label}": ${labels.join(", ")}`);
    const button = item.buttons?.find((candidate) => candidate.tooltip === tooltip);
    if (tooltip !== undefined && !button) throw new Error(`"${label}" has no button "${tooltip}"`);
    this.selectedItems = [item];
    if (button) this.#triggered.fire({ item, button });
    else this.#accepted.fire();
  }
}

export const QuickPickItemKind = { Separator: -1, Default: 0 };

export class Disposable {
  static from(...all: { dispose(): unknown }[]): Disposable {
    return new Disposable(() => {
      for (const one of all) one.dispose();
    });
  }
  readonly #dispose: () => unknown;
  constructor(dispose: () => unknown) {
    this.#dispose = dispose;
  }
  dispose(): void {
    this.#dispose();
  }
}

export class Uri {
  readonly scheme: string;
  readonly authority: string;
  readonly path: string;
  readonly query: string;
  readonly fragment: string;
  private constructor(scheme: string, authority: string, path: string, query: string, fragment = "") {
    this.scheme = scheme;
    this.authority = authority;
    this.path = path;
    this.query = query;
    this.fragment = fragment;
  }
  static file(path: string): Uri {
    return new Uri("file", "", path, "");
  }
  static parse(text: string): Uri {
    const { protocol, host, pathname, search, hash } = new URL(text);
    return new Uri(protocol.slice(0, -1), host, pathname, search.slice(1), hash.slice(1));
  }
  static from({
    scheme,
    authority = "",
    path = "",
    query = "",
    fragment = "",
  }: {
    scheme: string;
    authority?: string;
    path?: string;
    query?: string;
    fragment?: string;
  }): Uri {
    return new Uri(scheme, authority, path, query, fragment);
  }
  static joinPath({ scheme, authority, path }: Uri, ...parts: string[]): Uri {
    return new Uri(scheme, authority, [path, ...parts].join("/"), "");
  }
  get fsPath(): string {
    return this.path;
  }
  with(change: Partial<Uri>): Uri {
    return Uri.from({ ...this, ...change });
  }
  toString(): string {
    const query = this.query ? `?${this.query}` : "";
    return `${this.scheme}://${this.authority}${this.path}${query}${this.fragment ? `#${this.fragment}` : ""}`;
  }
}

export class Position {
  readonly line: number;
  readonly character: number;
  constructor(line: number, character: number) {
    this.line = line;
    this.character = character;
  }
}

export class Range {
  readonly start: Position;
  readonly end: Position;
  constructor(
    startLine: number | Position,
    startCharacter: number | Position,
    endLine = 0,
    endCharacter = 0,
  ) {
    this.start =
      typeof startLine === "number" ? new Position(startLine, startCharacter as number) : startLine;
    this.end = typeof startCharacter === "number" ? new Position(endLine, endCharacter) : startCharacter;
  }
}

export class Diagnostic {
  source = "";
  code: unknown;
  relatedInformation: unknown[] = [];
  readonly range: Range;
  readonly message: string;
  readonly severity: number;
  constructor(range: Range, message: string, severity: number) {
    this.range = range;
    this.message = message;
    this.severity = severity;
  }
}

/** A class whose fields are its constructor's arguments, by these names. */
function record(...names: string[]) {
  return class {
    constructor(...values: unknown[]) {
      for (const [index, name] of names.entries()) Object.assign(this, { [name]: values[index] });
    }
  };
}

export const ThemeIcon = record("id", "color");
export const ThemeColor = record("id");
export const Location = record("uri", "range");
export const DiagnosticRelatedInformation = record("location", "message");
export const TreeItem = record("label", "collapsibleState");
export const Task = record("definition", "scope", "name", "source", "execution", "problemMatchers");
export const CustomExecution = record("callback");
export const ProcessExecution = record("process", "args", "options");
export const ShellExecution = record("commandLine", "options");
export const TaskRevealKind = { Always: 1 };
export const TaskPanelKind = { Dedicated: 2 };
export const LanguageModelToolResult = record("content");
export const LanguageModelTextPart = record("value");
export const McpStdioServerDefinition = record("label", "command", "args", "env", "version");
export const FileDecoration = record("badge", "tooltip", "color");
export class MarkdownString {
  isTrusted = false;
  supportThemeIcons = false;
  value: string;
  constructor(value = "") {
    this.value = value;
  }
  appendMarkdown(text: string): this {
    this.value += text;
    return this;
  }
}
/** Those that were registered, by their schemes. */
export const fileSystems = new Map<string, unknown>();
export const FileType = { File: 1 } as const;
export class FileSystemError extends Error {
  static FileNotFound = (): FileSystemError => new FileSystemError("FileNotFound");
  static NoPermissions = (): FileSystemError => new FileSystemError("NoPermissions");
  readonly code: string;
  constructor(code: string) {
    super(code);
    this.code = code;
  }
}
export class WorkspaceEdit {
  readonly edits: { kind: string; uri: Uri; text: string; range?: Range }[] = [];
  createFile(uri: Uri, { contents }: { contents: Uint8Array }): void {
    this.edits.push({ kind: "create", uri, text: new TextDecoder().decode(contents) });
  }
  replace(uri: Uri, range: Range, text: string): void {
    this.edits.push({ kind: "replace", uri, range, text });
  }
}
export const DiagnosticSeverity = { Error: 0, Warning: 1, Information: 2, Hint: 3 };
export const ProgressLocation = { SourceControl: 1, Window: 10, Notification: 15 };
export const StatusBarAlignment = { Left: 1, Right: 2 };
export const TreeItemCollapsibleState = { None: 0, Collapsed: 1, Expanded: 2 };
export const QuickInputButtons = { Back: { id: "back" } };
export const ViewColumn = { Active: -1 };
export const UIKind = { Desktop: 1, Web: 2 };
export const TaskScope = { Global: 1, Workspace: 2 };

function ask(kind: Shown["kind"], text: string, detail: string, items: string[]): unknown {
  const shown = { kind, text, detail, items };
  editor.shown.push(shown);
  // A notification without buttons asks nothing.
  if (items.length === 0 && kind !== "input") return undefined;
  const answer = editor.answers.shift();
  return typeof answer === "function" ? answer(shown) : answer;
}

function message(kind: Shown["kind"]) {
  return async (text: string, ...rest: unknown[]): Promise<unknown> => {
    const [first] = rest;
    const options =
      typeof first === "object" && first !== null && !("title" in first)
        ? (first as { detail?: string })
        : undefined;
    const items = options ? rest.slice(1) : rest;
    const titles = items.map((item) => (typeof item === "string" ? item : (item as { title: string }).title));
    const chosen = ask(kind, text, options?.detail ?? "", titles);
    return items.find((_, index) => titles[index] === chosen);
  };
}

const event = () => new EventEmitter<unknown>().event;

export const window = {
  registerWebviewViewProvider: () => new Disposable(() => {}),
  showInformationMessage: message("information"),
  showWarningMessage: message("warning"),
  showErrorMessage: message("error"),
  async showQuickPick<T extends Item>(
    items: readonly T[],
    options: { title?: string; placeHolder?: string; canPickMany?: boolean } = {},
  ) {
    const chosen = ask(
      "quickPick",
      options.title ?? "",
      options.placeHolder ?? "",
      items.map(({ label }) => label),
    );
    if (chosen === undefined) return undefined;
    if (options.canPickMany) return items.filter(({ label }) => (chosen as string[]).includes(label));
    return items.find(({ label }) => label === chosen);
  },
  createQuickPick: () => new QuickPick(),
  async showInputBox(options: {
    prompt?: string;
    title?: string;
    validateInput?: (text: string) => unknown;
  }) {
    const text = ask("input", options.prompt ?? "", options.title ?? "", []);
    const problem = typeof text === "string" ? await options.validateInput?.(text) : undefined;
    if (problem) throw new Error(`The input box refuses "${text}": ${problem}`);
    return text;
  },
  async showTextDocument(target: { uri: Uri } | Uri, options: { selection?: Range } = {}) {
    editor.shownDocuments.push("uri" in target ? target.uri.fsPath : target.fsPath);
    editor.selections.push(options.selection?.start.line);
    return { document: target };
  },
  showWorkspaceFolderPick: async () => workspace.workspaceFolders[0],
  setStatusBarMessage(text: string) {
    editor.statusMessages.push(text);
    return new Disposable(() => {});
  },
  async withProgress<T>(
    { title, location, cancellable }: { title?: string; location?: unknown; cancellable?: boolean | string },
    run: (progress: unknown, token: unknown) => Promise<T>,
  ): Promise<T> {
    if (title) editor.titles.push(title);
    const cancelled = new EventEmitter<void>();
    const shown = {
      text: title ?? "",
      button: cancellable === true ? "Cancel" : cancellable || "",
      cancel: () => cancelled.fire(),
    };
    if (location === ProgressLocation.Notification) editor.notifications.push(shown);
    try {
      return await run(
        { report() {} },
        { isCancellationRequested: false, onCancellationRequested: cancelled.event },
      );
    } finally {
      editor.notifications = editor.notifications.filter((other) => other !== shown);
    }
  },
  createInputBox: () =>
    inputBox((input) => {
      const text = ask("input", String(input.prompt ?? ""), String(input.title ?? ""), []);
      if (typeof text === "string") input.value = text;
      return text;
    }),
  createWebviewPanel(_type: string, title: string) {
    const closed = new EventEmitter<void>();
    const panel = {
      title,
      webview: { html: "", cspSource: "vscode-resource:", asWebviewUri: (uri: Uri) => uri },
      reveal() {},
      onDidDispose: closed.event,
      dispose: () => closed.fire(),
    };
    editor.pages.push(panel);
    return panel;
  },
  createTerminal(options: unknown) {
    const terminal = { options, sent: [] as string[] };
    editor.terminals.push(terminal);
    return { show() {}, sendText: (text: string) => terminal.sent.push(text) };
  },
  createStatusBarItem() {
    const item = { text: "", tooltip: undefined as unknown, visible: false };
    editor.statusBar.push(item);
    return Object.assign(item, {
      show: () => (item.visible = true),
      hide: () => (item.visible = false),
      dispose() {},
    });
  },
  createTreeView: (_id: string, { treeDataProvider }: { treeDataProvider: unknown }) => ({
    provider: treeDataProvider,
    selection: [],
    badge: undefined,
    message: undefined,
    onDidChangeVisibility: event(),
    onDidChangeCheckboxState: event(),
    dispose() {},
  }),
  createOutputChannel(name: string) {
    const channel = logChannel(name);
    editor.channels.set(name, channel);
    return channel;
  },
  registerUriHandler(handler: { handleUri(uri: unknown): unknown }) {
    editor.uriHandler = handler;
    return new Disposable(() => {});
  },
  registerFileDecorationProvider: () => new Disposable(() => {}),
  createTextEditorDecorationType: () => ({ dispose() {} }),
  onDidChangeVisibleTextEditors: event(),
  onDidChangeActiveTextEditor: event(),
  onDidChangeWindowState: event(),
  visibleTextEditors: [] as { document: unknown }[],
  activeTextEditor: undefined,
  state: { focused: true },
};

/** An answer that goes back to the question before. */
export const BACK = Symbol("the back button");

/** An input box that answers as soon as it is shown, and says which texts it refuses. */
function inputBox(answer: (input: Record<string, unknown>) => unknown) {
  const [accepted, hidden, triggered, changed] = [
    new EventEmitter<void>(),
    new EventEmitter<void>(),
    new EventEmitter<unknown>(),
    new EventEmitter<string>(),
  ];
  const input: Record<string, unknown> = {
    value: "",
    buttons: [],
    onDidAccept: accepted.event,
    onDidHide: hidden.event,
    onDidTriggerButton: triggered.event,
    onDidChangeValue: changed.event,
    hide: () => hidden.fire(),
    dispose() {},
    show() {
      const given = answer(input);
      if (given === undefined) return hidden.fire();
      if (given === BACK) return triggered.fire(QuickInputButtons.Back);
      accepted.fire();
      if (input.validationMessage) {
        editor.refused.push(String(input.validationMessage));
        hidden.fire();
      }
    },
  };
  return input;
}

/** Keeps what is logged. */
export function logChannel(name = "Linkup") {
  const lines: string[] = [];
  const log = (level: string) => (text: unknown) =>
    void lines.push(`${level}: ${text instanceof Error ? text.message : text}`);
  return {
    name,
    lines,
    shown: 0,
    info: log("info"),
    warn: log("warn"),
    error: log("error"),
    debug: log("debug"),
    trace: log("trace"),
    show() {
      this.shown++;
    },
    dispose() {},
  };
}

export const commands = {
  registerCommand(id: string, run: (...args: unknown[]) => unknown) {
    editor.commands.set(id, run);
    return new Disposable(() => editor.commands.delete(id));
  },
  async executeCommand(command: string, ...args: unknown[]): Promise<unknown> {
    if (command === "setContext") editor.context.set(String(args[0]), args[1]);
    else editor.executed.push({ command, args });
    return await editor.commands.get(command)?.(...args);
  },
};

export const env = {
  clipboard: {
    async writeText(text: string) {
      editor.clipboard = text;
    },
  },
  openExternal: async (uri: Uri) => editor.opened.push(uri.toString()) > 0,
  asExternalUri: async (uri: Uri) => editor.forward(uri),
  remoteName: undefined as string | undefined,
  uiKind: UIKind.Desktop,
  uriScheme: "vscode",
  language: "en",
};

async function existing<T>(read: Promise<T>): Promise<T> {
  return await read.catch((error: NodeJS.ErrnoException) => {
    throw error.code === "ENOENT" ? new FileSystemError("FileNotFound") : error;
  });
}

interface TextDocument {
  uri: Uri;
  version: number;
  isClosed: boolean;
  isDirty: boolean;
  lineCount: number;
  save(): Promise<boolean>;
  positionAt(offset: number): Position;
  getText(range?: Range): string;
  lineAt(line: number): { range: Range; text: string };
}

function offsetAt(text: string, { line, character }: Position): number {
  const lines = text.split("\n");
  return lines.slice(0, line).reduce((sum, { length }) => sum + length + 1, 0) + character;
}

function textDocument(uri: Uri, text: string): TextDocument {
  const lines = text.split("\n");
  return {
    uri,
    version: 1,
    isClosed: false,
    isDirty: false,
    lineCount: lines.length,
    save: async () => true,
    positionAt(offset) {
      const before = text.slice(0, offset).split("\n");
      return new Position(before.length - 1, before.at(-1)!.length);
    },
    getText: (range) =>
      range ? lines[range.start.line]!.slice(range.start.character, range.end.character) : text,
    lineAt: (line) => ({ text: lines[line]!, range: new Range(line, 0, line, lines[line]!.length) }),
  };
}

export const workspace = {
  getWorkspaceFolder: (uri: Uri) =>
    workspace.workspaceFolders.find(({ uri: folder }) =>
      `${uri.fsPath}${sep}`.startsWith(`${folder.fsPath}${sep}`),
    ),
  workspaceFolders: [] as { name: string; uri: Uri; index: number }[],
  textDocuments: [] as TextDocument[],
  get isTrusted() {
    return editor.trusted;
  },
  fs: {
    readFile: ({ fsPath }: Uri) => existing(readFile(fsPath)),
    stat: ({ fsPath }: Uri) => existing(stat(fsPath)),
    async readDirectory({ fsPath }: Uri) {
      return (await existing(readdir(fsPath))).map((name) => [name, 1]);
    },
  },
  getConfiguration: (section?: string) => ({
    get: (key: string, otherwise?: unknown) =>
      editor.settings.get(section ? `${section}.${key}` : key) ?? otherwise,
  }),
  async openTextDocument(target: string | Uri) {
    const uri = typeof target === "string" ? Uri.file(target) : target;
    return textDocument(uri, await readFile(uri.fsPath, "utf8"));
  },
  async applyEdit({ edits }: WorkspaceEdit) {
    for (const { kind, uri, text, range } of edits) {
      if (kind === "create") await writeFile(uri.fsPath, text);
      else {
        const before = await readFile(uri.fsPath, "utf8");
        const { start, end } = range!;
        const changed = before.slice(0, offsetAt(before, start)) + text + before.slice(offsetAt(before, end));
        await writeFile(uri.fsPath, changed);
      }
    }
    return true;
  },
  createFileSystemWatcher(pattern: string | RelativePattern) {
    const changed = new EventEmitter<Uri>();
    const watcher = { pattern, change: (uri: Uri) => changed.fire(uri) };
    editor.watchers.push(watcher);
    return {
      onDidChange: changed.event,
      onDidCreate: event(),
      onDidDelete: event(),
      dispose: () => editor.watchers.splice(editor.watchers.indexOf(watcher), 1),
    };
  },
  registerTextDocumentContentProvider: () => new Disposable(() => {}),
  registerFileSystemProvider: (scheme: string, provider: unknown) => {
    fileSystems.set(scheme, provider);
    return new Disposable(() => fileSystems.delete(scheme));
  },
  onDidChangeWorkspaceFolders: event(),
  onDidChangeConfiguration: event(),
  onDidOpenTextDocument: event(),
  onDidCloseTextDocument: event(),
  onDidChangeTextDocument: event(),
  onDidSaveTextDocument: event(),
  onDidGrantWorkspaceTrust: event(),
};

export const languages = {
  createDiagnosticCollection: () => ({
    set: (uri: Uri, found: Diagnostic[]) => editor.diagnostics.set(uri.fsPath, found),
    delete: (uri: Uri) => editor.diagnostics.delete(uri.fsPath),
    dispose() {},
  }),
};

const endedTask = new EventEmitter<{ execution: unknown }>();
export const tasks = {
  registerTaskProvider: () => new Disposable(() => {}),
  /** Those that have not ended. */
  taskExecutions: [] as { task: unknown }[],
  onDidEndTaskProcess: event(),
  async executeTask(task: unknown) {
    editor.tasks.push(task);
    const execution = { task };
    tasks.taskExecutions.push(execution);
    return execution;
  },
  onDidEndTask: endedTask.event,
};

/** Ends every task, as when its command exits. */
export function endTasks(): void {
  for (const execution of tasks.taskExecutions.splice(0)) endedTask.fire({ execution });
}
export const lm = {
  registerTool(name: string, tool: unknown) {
    editor.tools.set(name, tool);
    return new Disposable(() => {});
  },
  registerMcpServerDefinitionProvider: () => new Disposable(() => {}),
};
export const l10n = {
  t: (text: string, ...values: unknown[]) =>
    text.replace(/\{(\d+)\}/g, (_, index) => String(values[Number(index)])),
};
