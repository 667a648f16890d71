/** Tools for language models in the editor: the same as a user can do, each change confirmed by the user. */
import * as vscode from "vscode";
import type { Target } from "../../core/config/parse-config.ts";
import { type AsksForRequests, requestsForAgents } from "../../manager/requests-for-agents.ts";
import { chooseConfig, chooseSession, selectorOf } from "../commands/choose.ts";
import { readConfigFile } from "../config-file.ts";
import type { Linkup } from "../linkup.ts";
import { ownSessions } from "../model.ts";
import { explanationText } from "../views/explanation-text.ts";
import { statusText } from "../views/status-text.ts";
import { t } from "../words.ts";

interface Tool<Input> {
  doing(input: Input): string;
  /** What the user is asked before a change: a question, and what it would mean. */
  confirm?(input: Input): Promise<{ title: string; message: string }>;
  /** What the model is told. Rejects with what stands in the way. */
  run(input: Input): Promise<string>;
}

export function registerAgentTools(context: vscode.ExtensionContext, linkup: Linkup): void {
  const tools = {
    linkup_get_status: getStatus(linkup),
    linkup_start_session: startSession(linkup),
    linkup_route_service: routeService(linkup),
    linkup_explain_request: explainRequest(linkup),
    linkup_get_requests: getRequests(linkup),
    linkup_create_preview: createPreview(linkup),
  };
  for (const [name, tool] of Object.entries(tools))
    context.subscriptions.push(vscode.lm.registerTool(name, languageModelTool(tool as Tool<object>)));
}

function languageModelTool(tool: Tool<object>): vscode.LanguageModelTool<object> {
  return {
    async prepareInvocation({ input }) {
      const confirmationMessages = await tool.confirm?.(input);
      return {
        invocationMessage: tool.doing(input),
        ...(confirmationMessages ? { confirmationMessages } : {}),
      };
    },
    async invoke({ input }) {
      // In an untrusted workspace nothing is started, whoever asks.
      if (tool.confirm && !vscode.workspace.isTrusted)
        throw new Error("The workspace is not trusted: Linkup starts nothing in it.");
      return new vscode.LanguageModelToolResult([new vscode.LanguageModelTextPart(await tool.run(input))]);
    },
  };
}

function getStatus(linkup: Linkup): Tool<object> {
  return {
    doing: () => t("Reading the status of Linkup"),
    async run() {
      await linkup.configs.ready();
      await (await linkup.manager).refresh();
      return statusText(linkup.model);
    },
  };
}

function startSession(linkup: Linkup): Tool<{ isolated?: boolean }> {
  return {
    doing: () => t("Starting the Linkup session"),
    confirm: async ({ isolated }) => ({
      title: t("Start the Linkup session?"),
      message: isolated
        ? t("The session stays on this machine.")
        : t(
            "The session gets a public URL like {0}: anyone who knows it reaches the services that are routed to this machine.",
            await publicUrl(linkup),
          ),
    }),
    async run({ isolated }) {
      const { path } = await theConfig(linkup);
      const session = await linkup.start(path, isolated ? "isolated" : "tunneled");
      if (!session) throw new Error("The user cancelled the start.");
      return `Session ${session.name} is running: ${session.urls.join(", ")}`;
    },
  };
}

function routeService(linkup: Linkup): Tool<{ service: string; target: Target }> {
  return {
    doing: ({ service }) => t("Routing {0}", service),
    async confirm({ service, target }) {
      const url = ownSessions(linkup.model)[0]?.urls[0] ?? (await publicUrl(linkup));
      return target === "local"
        ? {
            title: t("Route {0} to this machine?", service),
            message: t("Requests to {0} will reach the service on this machine.", url),
          }
        : {
            title: t("Route {0} to its remote copy?", service),
            message: t("Requests to {0} will reach the deployed service.", url),
          };
    },
    async run({ service, target }) {
      if (target !== "local" && target !== "remote") throw new Error('The target is "local" or "remote".');
      await (await linkup.manager).route(selectorOf(await theSession(linkup)), [service], target);
      return `The next request to ${service} is served by its ${target} copy.`;
    },
  };
}

function explainRequest(linkup: Linkup): Tool<{ url: string; headers?: Record<string, string> }> {
  return {
    doing: ({ url }) => t("Explaining the request to {0}", url),
    async run({ url, headers = {} }) {
      const selector = selectorOf(await theSession(linkup));
      return explanationText(url, headers, await (await linkup.manager).explain(selector, url, headers));
    },
  };
}

function getRequests(linkup: Linkup): Tool<AsksForRequests> {
  return {
    doing: () => t("Reading the requests that came"),
    run: async (input) => requestsForAgents((await linkup.manager).requestLog, input),
  };
}

function createPreview(linkup: Linkup): Tool<{ services: Record<string, string>; name?: string }> {
  return {
    doing: () => t("Creating a preview"),
    confirm: async ({ services }) => ({
      title: t("Create a preview session?"),
      message: t(
        "It gets a public URL like {0}, where {1}.",
        await publicUrl(linkup),
        Object.entries(services)
          .map(([name, url]) => t("{0} is {1}", name, url))
          .join(", "),
      ),
    }),
    async run({ services, name }) {
      const { path } = await theConfig(linkup);
      const create = { configPath: path, kind: "preview" as const, locations: services };
      const session = await (await linkup.manager).create({ ...create, ...(name ? { name } : {}) });
      return `Preview ${session.name} is at ${session.urls.join(", ")}`;
    },
  };
}

async function theConfig(linkup: Linkup) {
  const config = await chooseConfig(linkup, undefined);
  if (!config) throw new Error("The user chose no folder.");
  return config;
}

async function theSession(linkup: Linkup) {
  const session = await chooseSession(linkup, undefined);
  if (!session) throw new Error("The user chose no session.");
  return session;
}

/** What a session's URL will look like, before it has a name. */
async function publicUrl(linkup: Linkup): Promise<string> {
  await linkup.configs.ready();
  const [file] = linkup.configs.files;
  const domain = file && (await readConfigFile(file.path)).domains[0]?.domain;
  return `https://…${domain ? `.${domain}` : ""}/`;
}
