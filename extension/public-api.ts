/** The API for other extensions: `vscode.extensions.getExtension("linkup-dev.linkup").exports`. */
import * as vscode from "vscode";
import type { SessionView } from "../manager/model/snapshot.ts";
import type { Linkup } from "./linkup.ts";
import { assertReplacesNone } from "./window-model.ts";

export interface LinkupApi {
  /** Incremented by breaking changes, not by additions. */
  readonly version: 1;
  /** All sessions on this machine, as they are now. Immutable. */
  readonly sessions: readonly SessionView[];
  /** Fires when a session has changed. */
  readonly onDidChange: vscode.Event<void>;
  /**
   * Starts the session of a linkup.yaml (default: the workspace's), or adopts the one that runs. Resolves when it is
   * ready. Rejects with an error whose `problem` says what happened, and in an untrusted workspace.
   */
  start(configPath?: string): Promise<SessionView>;
  /**
   * Resolves when the next request follows. `target`: `local`, `remote`, `auto`, a URL, the name of a target in linkup.yaml, or
   * `session:NAME`.
   */
  route(services: readonly string[] | "all", target: string, configPath?: string): Promise<SessionView>;
  /** Resolves when nothing of the session is left running. */
  stop(configPath?: string): Promise<void>;
}

export function createApi(linkup: Linkup): LinkupApi {
  const pathOr = async (configPath: string | undefined) => {
    if (configPath) return configPath;
    await linkup.configs.ready();
    const [config] = linkup.configs.files;
    if (!config) throw new Error("This workspace has no linkup.yaml.");
    return config.path;
  };
  const trusted = () => {
    if (!vscode.workspace.isTrusted)
      throw new Error("The workspace is not trusted: Linkup starts nothing in it.");
  };
  return {
    version: 1,
    get sessions() {
      // Without a linkup.yaml the manager is not loaded yet; `onDidChange` fires once it is.
      void linkup.manager;
      return linkup.model.snapshot.sessions;
    },
    onDidChange: linkup.onDidChange,
    async start(configPath) {
      trusted();
      const path = await pathOr(configPath);
      assertReplacesNone(linkup.model, path, "tunneled");
      const session = await linkup.start(path);
      if (!session) throw new Error("The start was cancelled.");
      return session;
    },
    async route(services, target, configPath) {
      trusted();
      return await (await linkup.manager).route({ configPath: await pathOr(configPath) }, services, target);
    },
    async stop(configPath) {
      await (await linkup.manager).stop({ configPath: await pathOr(configPath) });
    },
  };
}
