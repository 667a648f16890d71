/** Registers the tools for language models that package.json names. They are read when the first one is called. */
import * as vscode from "vscode";
import type { Linkup } from "../linkup.ts";

/** As far as it is read here. */
interface Manifest {
  contributes: { languageModelTools: readonly { name: string }[] };
}

export function registerAgentTools(context: vscode.ExtensionContext, linkup: Linkup): void {
  type Tools = ReadonlyMap<string, vscode.LanguageModelTool<object>>;
  let loaded: Promise<Tools> | undefined;
  const load = async (name: string) => {
    loaded ??= import("./agent-tools.ts").then(({ agentTools }) => agentTools(linkup));
    return (await loaded).get(name);
  };
  const { contributes } = context.extension.packageJSON as Manifest;
  for (const { name } of contributes.languageModelTools) {
    const tool: vscode.LanguageModelTool<object> = {
      prepareInvocation: async (options, token) => (await load(name))?.prepareInvocation?.(options, token),
      invoke: async (options, token) => (await load(name))?.invoke(options, token),
    };
    context.subscriptions.push(vscode.lm.registerTool(name, tool));
  }
}
