/**
 * Entry point: creates the services and registers every contribution. Awaits nothing, to keep activation short. VS Code calls it in
 * every window, for the setting may name a linkup.yaml anywhere: nothing is shown, written or watched for a window that has none,
 * until somebody there asks for Linkup.
 */
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import * as vscode from "vscode";
import { stateHome } from "../node/home.ts";
import { registerCommands } from "./commands/register-commands.ts";
import { isConfigName } from "./config-files.ts";
import { registerContextKeys } from "./context-keys.ts";
import { expandPath } from "./expand-path.ts";
import { JoinedList } from "./joined-list.ts";
import { Linkup } from "./linkup.ts";
import { LogChannels } from "./log-channels.ts";
import { registerProblemWatch } from "./problem-watch.ts";
import { createApi, type LinkupApi } from "./public-api.ts";
import { registerRequests } from "./requests/register-requests.ts";
import { setting, settingChanged } from "./settings.ts";
import { registerTerminalEnvironment } from "./terminal/environment.ts";
import { registerAgentTools } from "./tools/register-agent-tools.ts";
import { registerLinks } from "./tools/register-links.ts";
import { registerMcpServer } from "./tools/register-mcp-server.ts";
import { registerTasks } from "./tools/register-tasks.ts";
import { registerSessionsView } from "./views/sessions-view.ts";
import { registerStatusBar } from "./views/status-bar.ts";
import { translateWith } from "./words.ts";
import { storedToken } from "./worker-token-storage.ts";

let linkup: Linkup | undefined;

export function activate(context: vscode.ExtensionContext): LinkupApi {
  translateWith(vscode.l10n.t);
  linkup = new Linkup(
    {
      home: stateHome(process.env),
      dist: join(context.extensionPath, "dist"),
      version: String(context.extension.packageJSON.version),
      env: environment(context),
      user: {
        id: `vscode-${randomUUID()}`,
        keep: setting("keepRunning"),
      },
      token: (workerUrl) => storedToken(context.secrets, workerUrl),
    },
    new JoinedList(context.secrets, context.globalStorageUri.fsPath),
  );
  context.subscriptions.push(linkup);
  const channels = new LogChannels(linkup, stateHome(process.env));
  context.subscriptions.push(channels);
  const view = registerSessionsView(context, linkup);
  const language = languageLater(context, linkup);
  registerRequests(context, linkup);
  registerCommands({ context, linkup, view, channels, testRoute: async () => (await language())() });
  registerTasks(context, linkup);
  registerLinks(context, linkup);
  registerAgentTools(context, linkup);
  registerMcpServer(context, linkup);
  context.subscriptions.push(linkup.onDidUse(() => showLinkup(context, linkup!)));
  return createApi(linkup);
}

/** What a window shows and does by itself once it has to do with Linkup. */
function showLinkup(context: vscode.ExtensionContext, linkup: Linkup): void {
  linkup.joined.follow();
  registerStatusBar(context, linkup);
  registerContextKeys(context, linkup);
  registerProblemWatch(context, linkup);
  registerTerminalEnvironment(context, linkup);
}

/**
 * Loads the language features, whose YAML parser is large, once there is a linkup.yaml or on the first call. Resolves
 * with the implementation of the command "Test Route".
 */
function languageLater(context: vscode.ExtensionContext, linkup: Linkup): () => Promise<() => Promise<void>> {
  let language: Promise<() => Promise<void>> | undefined;
  const load = () => {
    language ??= import("./language/language.ts").then(({ registerLanguage }) =>
      registerLanguage(context, linkup),
    );
    return language;
  };
  const look = () => {
    const { textDocuments } = vscode.workspace;
    if (linkup.configs.files.length > 0 || textDocuments.some(({ uri }) => isConfigName(uri))) void load();
  };
  context.subscriptions.push(linkup.configs.onDidChange(look), vscode.workspace.onDidOpenTextDocument(look));
  setImmediate(look);
  return load;
}

/** The environment of VS Code, overridden by settings as they are now. */
function environment(context: vscode.ExtensionContext): NodeJS.ProcessEnv {
  const env = { ...process.env };
  const update = () => {
    const path = expandPath(setting("cloudflaredPath")) || process.env.CLOUDFLARED_PATH;
    if (path) env.CLOUDFLARED_PATH = path;
    else delete env.CLOUDFLARED_PATH;
  };
  update();
  context.subscriptions.push(
    vscode.workspace.onDidChangeConfiguration((event) => {
      if (settingChanged(event, "cloudflaredPath")) update();
    }),
  );
  return env;
}

/** VS Code allows five seconds, which is enough to release this window's lease. */
export async function deactivate(): Promise<void> {
  await linkup?.releaseLease();
}
