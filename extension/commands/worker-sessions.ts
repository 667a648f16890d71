/** List Sessions: those of this machine, and those on the Worker, no matter who started them; each to open, extend and delete. */
import * as vscode from "vscode";
import { inLargestUnit } from "../../core/session/duration.ts";
import type { Manager } from "../../manager/manager.ts";
import { LinkupError } from "../../manager/model/problem.ts";
import type { SessionView } from "../../manager/model/snapshot.ts";
import type { ListedWorkerSession } from "../../manager/operations/worker-sessions.ts";
import { kindWord, stateWord } from "../labels.ts";
import type { Linkup } from "../linkup.ts";
import { openSessionUrl } from "../open-url.ts";
import { waitForAnswer, waitUntilDone } from "../waiting.ts";
import { hostOf } from "../window-model.ts";
import { t } from "../words.ts";
import { chooseConfig } from "./choose.ts";

/** Sessions that are fetched at once: the Worker may have thousands. */
const PAGE = 200;
/** How long typing has to pause before the Worker is asked. */
const PAUSE_MS = 200;
const DAY_S = 86_400;

interface SessionItem extends vscode.QuickPickItem {
  /** Undefined for a session without a name yet, and for rows that are not sessions. */
  name?: string | undefined;
  /** Of a session of this machine. */
  urls?: readonly string[];
  /** Fetches the page after this name. */
  after?: string;
  /** Why the Worker's sessions are not here. */
  problem?: unknown;
}

export async function listSessions(linkup: Linkup): Promise<void> {
  for (;;) {
    const list = await SessionList.open(linkup);
    if (!list) return;
    const choice = await list.choose();
    if (!choice) return;
    const { item, action } = choice;
    if (item.problem !== undefined) throw item.problem;
    if (action === "open") return list.openInBrowser(linkup, item);
    // After a change the list is shown again, as it is then.
    await (action === "extend" ? list.extend(item.name!) : list.remove(item.name!));
  }
}

type Choice = { item: SessionItem; action: "open" | "extend" | "delete" };

class SessionList {
  readonly #manager: Manager;
  /** The linkup.yaml that names the Worker; undefined: only this machine is listed. */
  readonly #configPath: string | undefined;
  readonly #here: readonly SessionView[];
  readonly #onWorker = new Map<string, ListedWorkerSession>();
  #next: string | undefined;
  #problem: unknown;

  private constructor(manager: Manager, configPath: string | undefined, here: readonly SessionView[]) {
    this.#manager = manager;
    this.#configPath = configPath;
    this.#here = here;
  }

  /** Undefined when the user cancelled. Rejects with a LinkupError when there is no session at all. */
  static async open(linkup: Linkup): Promise<SessionList | undefined> {
    const manager = await linkup.manager;
    await linkup.configs.ready();
    const { configs, trusted } = linkup.model;
    const config = configs.length > 0 && trusted ? await chooseConfig(linkup, undefined) : undefined;
    const asks = config !== undefined && (await linkup.confirmWorker(config.path).catch(() => false));
    const list = await waitForAnswer(t("Looking for sessions"), async () => {
      const { sessions } = await manager.look();
      const found = new SessionList(manager, asks ? config.path : undefined, sessions);
      await found.#fetch({});
      return found;
    });
    if (!list || list.#here.length > 0 || list.#onWorker.size > 0 || list.#problem !== undefined) return list;
    throw new LinkupError("session-unknown", t("No session is running, neither here nor on the Worker."), [
      { command: "start", title: t("Start") },
    ]);
  }

  /** Undefined when the user leaves. */
  choose(): Promise<Choice | undefined> {
    const { promise, resolve } = Promise.withResolvers<Choice | undefined>();
    const pick = vscode.window.createQuickPick<SessionItem>();
    pick.title = t("Sessions");
    pick.placeholder = t("Pick one to open it in the browser");
    pick.matchOnDescription = true;
    pick.matchOnDetail = true;
    pick.items = this.#items();
    let paused: NodeJS.Timeout | undefined;
    const more = async (query: { pattern?: string; after?: string }) => {
      pick.busy = true;
      await this.#fetch(query);
      pick.items = this.#items();
      pick.busy = false;
    };
    pick.onDidChangeValue((value) => {
      clearTimeout(paused);
      const letters = value.toLowerCase().replaceAll(/[^a-z0-9-]/g, "");
      // What is here already is filtered by VS Code.
      if (letters && this.#next !== undefined)
        paused = setTimeout(() => void more({ pattern: `*${letters}*` }), PAUSE_MS);
    });
    pick.onDidTriggerItemButton(({ item, button }) => {
      resolve({ item, action: button === itemButtons().extend ? "extend" : "delete" });
      pick.hide();
    });
    pick.onDidAccept(() => {
      const [item] = pick.selectedItems;
      if (item?.after !== undefined) return void more({ after: item.after });
      resolve(item && { item, action: "open" });
      pick.hide();
    });
    pick.onDidHide(() => {
      clearTimeout(paused);
      resolve(undefined);
      pick.dispose();
    });
    pick.show();
    return promise;
  }

  async openInBrowser(linkup: Linkup, { name, urls }: SessionItem): Promise<void> {
    const asked = () => this.#manager.workerSession(this.#configPath!, name!);
    const found = urls ?? (await waitForAnswer(t("Reading {0} from the Worker", name!), asked))?.urls ?? [];
    const [first, second] = found;
    if (first === undefined) return;
    if (second === undefined || urls !== undefined) return openSessionUrl(linkup, first);
    const items = found.map((url) => ({ label: hostOf(url), url }));
    const picked = await vscode.window.showQuickPick(items, {
      title: name ?? "",
      placeHolder: t("Which domain?"),
    });
    if (picked) await openSessionUrl(linkup, picked.url);
  }

  async extend(name: string): Promise<void> {
    const items = [
      { label: t("{0} d", 1), seconds: DAY_S },
      { label: t("{0} d", 7), seconds: 7 * DAY_S },
      { label: t("{0} d", 30), seconds: 30 * DAY_S },
      { label: t("No expiry while in use"), seconds: null },
    ];
    const picked = await vscode.window.showQuickPick(items, {
      title: t("Extend {0}", name),
      placeHolder: t("When it expires, counted from now"),
    });
    if (!picked) return;
    const { expires } = await waitUntilDone(t("Extending {0}", name), () =>
      this.#manager.extend(this.#configPath!, name, picked.seconds),
    );
    vscode.window.setStatusBarMessage(t("{0} expires in {1}", name, span(expires - Date.now())), 5000);
  }

  async remove(name: string): Promise<void> {
    const yes = t("Delete");
    const question = t("Delete the session {0}?", name);
    const detail = t("Its URLs stop working for everyone.");
    if ((await vscode.window.showWarningMessage(question, { modal: true, detail }, yes)) !== yes) return;
    await waitUntilDone(t("Deleting {0}", name), () => this.#manager.remove(name, this.#configPath));
  }

  /** A failure becomes an entry of the list: the sessions of this machine are there all the same. */
  async #fetch(query: { pattern?: string; after?: string }): Promise<void> {
    if (this.#configPath === undefined) return;
    try {
      const { sessions, next } = await this.#manager.workerSessions(this.#configPath, {
        ...query,
        limit: PAGE,
      });
      for (const session of sessions) this.#onWorker.set(session.session_name, session);
      if (query.pattern === undefined) this.#next = next;
    } catch (error) {
      this.#problem = error;
    }
  }

  #items(): SessionItem[] {
    const now = Date.now();
    const here = this.#here.map((session): SessionItem => {
      const { name, kind, state, urls } = session;
      const listed = name === undefined ? undefined : this.#onWorker.get(name);
      return {
        label: name ?? kindWord(kind),
        description: [kindWord(kind), stateWord(state), ...(listed ? facts(listed, now) : [])].join(" · "),
        detail: urls.join("  "),
        name,
        urls,
        buttons:
          name === undefined
            ? []
            : listed
              ? [itemButtons().extend, itemButtons().remove]
              : [itemButtons().remove],
      };
    });
    const names = new Set(this.#here.map(({ name }) => name));
    const there = [...this.#onWorker.values()]
      .filter(({ session_name }) => !names.has(session_name))
      .toSorted((a, b) => (a.session_name < b.session_name ? -1 : 1))
      .map(
        (session): SessionItem => ({
          label: session.session_name,
          description: [kindWord(session.session_kind), ...facts(session, now)].join(" · "),
          name: session.session_name,
          buttons: [itemButtons().extend, itemButtons().remove],
        }),
      );
    const separator = (label: string): SessionItem => ({ label, kind: vscode.QuickPickItemKind.Separator });
    return [
      ...(here.length > 0 ? [separator(t("On this machine")), ...here] : []),
      ...(there.length > 0 ? [separator(t("On the Worker")), ...there] : []),
      ...(this.#next === undefined ? [] : [{ label: t("More…"), alwaysShow: true, after: this.#next }]),
      ...(this.#problem === undefined
        ? []
        : [{ label: t("The Worker's sessions cannot be listed"), alwaysShow: true, problem: this.#problem }]),
    ];
  }
}

let buttons: { extend: vscode.QuickInputButton; remove: vscode.QuickInputButton } | undefined;

/** Made at their first use: texts have no translation before. */
function itemButtons() {
  buttons ??= {
    extend: { iconPath: new vscode.ThemeIcon("history"), tooltip: t("Extend…") },
    remove: { iconPath: new vscode.ThemeIcon("trash"), tooltip: t("Delete") },
  };
  return buttons;
}

/** Whose it is, its age, its last use and its expiry; an old Worker tells less. */
function facts({ maker, created, used, expires }: ListedWorkerSession, now: number): string[] {
  return [
    ...(maker === undefined ? [] : [maker === null ? t("main token") : t("token {0}", maker)]),
    t("created {0} ago", span(now - created)),
    ...(used === undefined ? [] : [t("used {0} ago", span(now - used))]),
    t("expires in {0}", span(expires - now)),
  ];
}

function span(ms: number): string {
  const { count, unit } = inLargestUnit(ms);
  if (unit === "min") return t("{0} min", count);
  return unit === "h" ? t("{0} h", count) : t("{0} d", count);
}
