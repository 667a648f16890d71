/**
 * Registers `linkup mcp` for agents in VS Code that support MCP servers but not the editor's own tools. Off by default:
 * other agents would see every tool twice.
 */
import { join } from "node:path";
import * as vscode from "vscode";
import type { Linkup } from "../linkup.ts";
import { readConfigFile } from "../read-config-file.ts";
import { setting, settingChanged } from "../settings.ts";
import { storedToken } from "../worker-token-storage.ts";

const SETTLE_MS = 1_000;

export function registerMcpServer(context: vscode.ExtensionContext, linkup: Linkup): void {
  const changed = new vscode.EventEmitter<void>();
  const argv = [join(context.extensionPath, "dist", "cli.js"), "mcp"];
  const version = String(context.extension.packageJSON.version);
  const provider: vscode.McpServerDefinitionProvider<vscode.McpStdioServerDefinition> = {
    onDidChangeMcpServerDefinitions: changed.event,
    /** One for each linkup.yaml of the workspace. */
    async provideMcpServerDefinitions() {
      const wanted = setting("mcpServer");
      if (!wanted || !vscode.workspace.isTrusted) return [];
      await linkup.configs.ready();
      const { files } = linkup.configs;
      return files.map(({ path, folder }) => {
        // VS Code tells servers apart by their labels.
        const isUnique = files.filter((file) => file.folder === folder).length === 1;
        const label = files.length > 1 ? `Linkup (${isUnique ? folder : path})` : "Linkup";
        const env = { ELECTRON_RUN_AS_NODE: "1", LINKUP_CONFIG: path };
        return new vscode.McpStdioServerDefinition(label, process.execPath, argv, env, version);
      });
    },
    /** The server cannot read secret storage, so the token is passed in its environment when it starts. */
    async resolveMcpServerDefinition(server) {
      const { linkup: worker } = await readConfigFile(String(server.env.LINKUP_CONFIG));
      const token = await storedToken(context.secrets, worker.worker_url);
      if (token) server.env.LINKUP_WORKER_TOKEN = token;
      return server;
    },
  };
  context.subscriptions.push(
    changed,
    vscode.lm.registerMcpServerDefinitionProvider("linkup", provider),
    linkup.configs.onDidChange(() => changed.fire()),
    vscode.workspace.onDidGrantWorkspaceTrust(() => changed.fire()),
    vscode.workspace.onDidChangeConfiguration((event) => {
      if (!settingChanged(event, "mcpServer")) return;
      changed.fire();
      // VS Code evaluates the `when` clause of package.json asynchronously and drops definitions announced before that.
      setTimeout(() => changed.fire(), SETTLE_MS);
    }),
  );
}
