/** Sessions of colleagues that this user may route, by invites in VS Code's secret storage. */
import * as vscode from "vscode";
import type { RoutingChange } from "../core/api/routing-requests-api.ts";
import type { Manager } from "../manager/manager.ts";
import type { InvitedSession } from "../manager/operations/route-elsewhere.ts";
import { isSameSession, type JoinedList } from "./joined-list.ts";
import type { JoinedSession } from "./window-model.ts";

/** How often the Workers are asked while the user is at this window: where a session runs, and where none does. */
const LOOK_MS = 3_000;
const SLOW_LOOK_MS = 30_000;

/** What a failure means, by the code of its problem. */
const STATES: Readonly<Record<string, JoinedSession["state"]>> = {
  "invite-unknown": "ended",
  "session-unknown": "stopped",
};

export class JoinedSessions implements vscode.Disposable {
  readonly #list: JoinedList;
  readonly #manager: () => Promise<Pick<Manager, "sharedRouting" | "routeElsewhere">>;
  readonly #changed = new vscode.EventEmitter<void>();
  /** The sessions have changed. */
  readonly onDidChange = this.#changed.event;
  /** An invite has just ended: revoked, or over. */
  readonly #ended = new vscode.EventEmitter<JoinedSession>();
  readonly onDidEnd = this.#ended.event;
  readonly #disposables: vscode.Disposable[];
  #invited: InvitedSession[] = [];
  #views: readonly JoinedSession[] = [];
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> | undefined;
  #isDisposed = false;

  constructor(list: JoinedList, manager: () => Promise<Manager>) {
    this.#list = list;
    this.#manager = manager;
    this.#disposables = [this.#changed, this.#ended];
  }

  /** Looks now, and again with each change. */
  follow(): void {
    const look = () => void this.look();
    this.#disposables.push(
      this.#list.onDidChange(look),
      vscode.window.onDidChangeWindowState(({ focused }) => focused && look()),
      vscode.workspace.onDidGrantWorkspaceTrust(look),
    );
    look();
  }

  get views(): readonly JoinedSession[] {
    return this.#views;
  }

  /** Keeps the invite once the Worker has taken it. Rejects with a LinkupError. */
  async join(invited: InvitedSession): Promise<void> {
    await (await this.#manager()).sharedRouting(invited);
    await this.#list.add(invited);
    await this.look();
  }

  /** Forgets the invite. */
  async leave(joined: JoinedSession): Promise<void> {
    await this.#list.remove(joined);
    await this.look();
  }

  /** Resolves when the owner's machine has done it. Rejects with a LinkupError, or with the signal's reason. */
  async route(
    joined: JoinedSession,
    services: RoutingChange["services"],
    signal?: AbortSignal,
  ): Promise<void> {
    const invited = this.#invited.find((other) => isSameSession(other, joined));
    if (!invited) return;
    try {
      await (await this.#manager()).routeElsewhere(invited, { services }, signal);
    } finally {
      await this.look();
    }
  }

  /** Asks the Workers; a call during a look waits for it and then looks again. */
  async look(): Promise<void> {
    await this.#looking;
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined;
    });
    await this.#looking;
  }

  dispose(): void {
    this.#isDisposed = true;
    clearTimeout(this.#timer);
    for (const disposable of this.#disposables) disposable.dispose();
  }

  async #look(): Promise<void> {
    clearTimeout(this.#timer);
    // In Restricted Mode nothing outside this machine is asked.
    this.#invited = vscode.workspace.isTrusted ? await this.#list.read() : [];
    const views = await Promise.all(this.#invited.map((invited) => this.#viewOf(invited)));
    if (this.#isDisposed) return;
    const before = this.#views;
    this.#views = views;
    if (JSON.stringify(before) !== JSON.stringify(views)) this.#changed.fire();
    for (const view of views) {
      const was = before.find((other) => isSameSession(other, view));
      if (view.state === "ended" && was && was.state !== "ended") this.#ended.fire(view);
    }
    const states = new Set(views.map(({ state }) => state));
    states.delete("ended");
    // Nobody looks at a window without the focus.
    if (states.size > 0 && vscode.window.state.focused)
      this.#timer = setTimeout(() => void this.look(), states.has("running") ? LOOK_MS : SLOW_LOOK_MS);
  }

  async #viewOf(invited: InvitedSession): Promise<JoinedSession> {
    const { session, workerUrl } = invited;
    try {
      const { invite, services } = await (await this.#manager()).sharedRouting(invited);
      return {
        session,
        workerUrl,
        state: "running",
        expires: invite.expires,
        services: Object.entries(services)
          .map(([name, { target, by }]) => ({ name, target, ...(by === undefined ? {} : { by }) }))
          .sort((a, b) => (a.name < b.name ? -1 : 1)),
      };
    } catch (error) {
      const { code = "" } = (error as { problem?: { code?: string } }).problem ?? {};
      return { session, workerUrl, state: STATES[code] ?? "unreachable", services: [] };
    }
  }
}
