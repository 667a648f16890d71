/** Registers the tasks of type `linkup`, which are made when VS Code asks for them. */
import * as vscode from "vscode";
import type { Linkup } from "../linkup.ts";

export function registerTasks(context: vscode.ExtensionContext, linkup: Linkup): void {
  const load = async () => await import("./start-task.ts");
  const provider: vscode.TaskProvider = {
    provideTasks: async () => await (await load()).startTasks(linkup),
    resolveTask: async (task) => (await load()).definedTask(linkup, task),
  };
  context.subscriptions.push(vscode.tasks.registerTaskProvider("linkup", provider));
}
