/** Tools for language models in the editor: the same as a user can do, each change confirmed by the user. */
import * as vscode from "vscode";
import type { Target } from "../../core/config/config.ts";
import { chooseConfig, chooseSession, selectorOf } from "../commands/choose.ts";
import type { Linkup } from "../linkup.ts";
import { ownSessions } from "../model.ts";
import { explanationText } from "../views/explanation-text.ts";
import { statusText } from "../views/status-text.ts";
import { t } from "../words.ts";

/** Throws when the workspace is not trusted, as nothing may be started then. */
function needTrust(): void {
  if (!vscode.workspace.isTrusted)
    throw new Error("The workspace is not trusted: Linkup starts nothing in it.");
}

export function registerAgentTools(context: vscode.ExtensionContext, linkup: Linkup): void {
  const text = (value: string) =>
    new vscode.LanguageModelToolResult([new vscode.LanguageModelTextPart(value)]);

  const getStatus: vscode.LanguageModelTool<object> = {
    prepareInvocation: () => ({ invocationMessage: t("Reading the status of Linkup") }),
    async invoke() {
      await linkup.configs.ready();
      await linkup.manager.refresh();
      return text(statusText(linkup.model));
    },
  };

  const startSession: vscode.LanguageModelTool<{ isolated?: boolean }> = {
    prepareInvocation: ({ input }) => ({
      invocationMessage: t("Starting the Linkup session"),
      confirmationMessages: {
        title: t("Start the Linkup session?"),
        message: input.isolated
          ? t("The session stays on this machine.")
          : t(
              "The session gets a public URL: anyone who knows it reaches the services that are routed to this machine.",
            ),
      },
    }),
    async invoke({ input }) {
      needTrust();
      const config = await chooseConfig(linkup, undefined);
      if (!config) throw new Error("The user chose no folder.");
      const session = await linkup.start(config.path, input.isolated ? "isolated" : "tunneled");
      if (!session) throw new Error("The user cancelled the start.");
      return text(`Session ${session.name} is running: ${session.urls.join(", ")}`);
    },
  };

  const routeService: vscode.LanguageModelTool<{ service: string; target: Target }> = {
    prepareInvocation({ input: { service, target } }) {
      const url = ownSessions(linkup.model)[0]?.urls[0] ?? "";
      return {
        invocationMessage: t("Routing {0}", service),
        confirmationMessages: {
          title:
            target === "local"
              ? t("Route {0} to this machine?", service)
              : t("Route {0} to its remote copy?", service),
          message:
            target === "local"
              ? t("Requests to {0} will reach the service on this machine.", url)
              : t("Requests to {0} will reach the deployed service.", url),
        },
      };
    },
    async invoke({ input: { service, target } }) {
      needTrust();
      if (target !== "local" && target !== "remote") throw new Error('The target is "local" or "remote".');
      const session = await chooseSession(linkup, undefined);
      if (!session) throw new Error("The user chose no session.");
      await linkup.manager.route(selectorOf(session), [service], target);
      return text(`The next request to ${service} is served by its ${target} copy.`);
    },
  };

  const explainRequest: vscode.LanguageModelTool<{ url: string; headers?: Record<string, string> }> = {
    prepareInvocation: ({ input }) => ({ invocationMessage: t("Explaining the request to {0}", input.url) }),
    async invoke({ input: { url, headers = {} } }) {
      const session = await chooseSession(linkup, undefined);
      if (!session) throw new Error("The user chose no session.");
      return text(
        explanationText(url, headers, await linkup.manager.explain(selectorOf(session), url, headers)),
      );
    },
  };

  context.subscriptions.push(
    vscode.lm.registerTool("linkup_get_status", getStatus),
    vscode.lm.registerTool("linkup_start_session", startSession),
    vscode.lm.registerTool("linkup_route_service", routeService),
    vscode.lm.registerTool("linkup_explain_request", explainRequest),
  );
}
