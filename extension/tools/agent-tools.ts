/** Tools for language models in the editor: the same as a user can do, each change confirmed by the user. */
import * as vscode from "vscode";
import type { AgentTool, AgentToolHost, SessionChoice } from "../../agent-tools/agent-tool.ts";
import type { Target } from "../../core/config/model/config-model.ts";
import { type SessionView, selectedSession } from "../../manager/model/snapshot.ts";
import { stateHome } from "../../node/home.ts";
import { chooseConfig, selectorOf } from "../commands/choose.ts";
import type { Linkup } from "../linkup.ts";
import { readConfigFile } from "../read-config-file.ts";
import { assertReplacesNone, ownSessions } from "../window-model.ts";
import { t } from "../words.ts";

/** What the editor adds to a tool of the catalogue. */
interface ToolPresentation<Input> {
  invocationMessage(input: Input): string;
  /** What the user is asked before a change: a question, and what it would mean. Undefined for a call that changes nothing. */
  confirm?(input: Input): Promise<{ title: string; message: string } | undefined>;
}

/** By the names in package.json. */
export function agentTools(linkup: Linkup): Map<string, vscode.LanguageModelTool<object>> {
  const tools = {
    linkup_get_status: { invocationMessage: () => t("Reading the status of Linkup") },
    linkup_start_session: startSession(linkup),
    linkup_route_service: routeService(linkup),
    linkup_switch_overrides: switchOverrides(linkup),
    linkup_share: share(linkup),
    linkup_explain_request: {
      invocationMessage: ({ url }) => t("Explaining the request to {0}", url),
    } as ToolPresentation<{
      url: string;
    }>,
    linkup_get_requests: { invocationMessage: () => t("Reading the request log") },
    linkup_create_preview: createPreview(linkup),
    linkup_list_sessions: { invocationMessage: () => t("Listing the sessions") },
    linkup_stop_session: {
      invocationMessage: () => t("Stopping the session"),
      confirm: async (choice) => ({
        title: t("Stop the session {0}?", choice.session ?? (await meantSession(linkup, choice))?.name ?? ""),
        message: t("Its URLs stop working for everyone."),
      }),
    } as ToolPresentation<SessionChoice>,
    linkup_create_isolated: {
      invocationMessage: () => t("Creating an isolated session"),
      confirm: async () => ({
        title: t("Create an isolated session?"),
        message: t("The session stays on this machine."),
      }),
    } as ToolPresentation<object>,
    linkup_delete_session: {
      invocationMessage: ({ session }) => t("Deleting the session {0}", session),
      confirm: async ({ session }) => ({
        title: t("Delete the session {0}?", session),
        message: t("Its URLs stop working for everyone."),
      }),
    } as ToolPresentation<{ session: string }>,
    linkup_doctor: { invocationMessage: () => t("Checking what sessions depend on") },
    linkup_compare: { invocationMessage: () => t("Comparing local with remote") },
    linkup_logs: { invocationMessage: () => t("Reading the logs") },
  };
  return new Map(
    Object.entries(tools).map(([name, presentation]) => [
      name,
      languageModelTool(linkup, name, presentation as ToolPresentation<object>),
    ]),
  );
}

function languageModelTool(
  linkup: Linkup,
  name: string,
  { invocationMessage, confirm }: ToolPresentation<object>,
): vscode.LanguageModelTool<object> {
  return {
    async prepareInvocation({ input }) {
      const confirmationMessages = await confirm?.(input);
      return {
        invocationMessage: invocationMessage(input),
        ...(confirmationMessages ? { confirmationMessages } : {}),
      };
    },
    async invoke({ input }, cancellation) {
      const { AGENT_TOOLS } = await import("../../agent-tools/catalogue.ts");
      const tool = AGENT_TOOLS.find((candidate) => candidate.name === name)!;
      // Tools that change something are refused in an untrusted workspace.
      if (!tool.readOnly && !vscode.workspace.isTrusted)
        throw new Error("The workspace is not trusted: Linkup starts nothing in it.");
      const cancelled = new AbortController();
      const listening = cancellation.onCancellationRequested(() => cancelled.abort());
      try {
        const { text } = await tool.run(await hostOf(linkup, tool), input, cancelled.signal);
        return new vscode.LanguageModelToolResult([new vscode.LanguageModelTextPart(text)]);
      } finally {
        listening.dispose();
      }
    },
  };
}

/** Resolves sessions and files that a call does not name: those of the workspace, chosen by the user where there are several. */
async function hostOf(linkup: Linkup, { insteadOfAsking }: AgentTool): Promise<AgentToolHost> {
  await linkup.configs.ready();
  return {
    // VS Code has asked, by the presentation's `confirm`.
    ...(insteadOfAsking ? { confirm: async () => true } : {}),
    manager: await linkup.manager,
    home: stateHome(process.env),
    offline: !vscode.workspace.isTrusted,
    configPath: async (named) => named ?? (await theConfig(linkup)).path,
    async selector({ session, config }) {
      if (session !== undefined) return { name: session };
      if (config !== undefined) return { configPath: config };
      const only = await meantSession(linkup, {});
      if (!only) throw new Error("No session of this workspace is running.");
      return selectorOf(only);
    },
    async start({ configPath, kind = "tunneled", access }, signal) {
      assertReplacesNone(linkup.model, configPath, kind);
      const session = await linkup.start(configPath, kind, { signal, access });
      if (!session) throw new Error("The user cancelled the start.");
      return session;
    },
  };
}

function startSession(
  linkup: Linkup,
): ToolPresentation<{ isolated?: boolean; private?: boolean; config?: string }> {
  return {
    invocationMessage: () => t("Starting the Linkup session"),
    confirm: async ({ isolated, private: isPrivate, config }) => ({
      title:
        config === undefined ? t("Start the Linkup session?") : t("Start the Linkup session of {0}?", config),
      message: isolated
        ? t("The session stays on this machine.")
        : isPrivate
          ? t("Only those whom you invite can open it.")
          : t(
              "The session gets a public URL like {0}: anyone who knows it reaches the services that are routed to this machine.",
              await publicUrl(linkup, config),
            ),
    }),
  };
}

function routeService(linkup: Linkup): ToolPresentation<{ service: string; target: Target } & SessionChoice> {
  return {
    invocationMessage: ({ service }) => t("Routing {0}", service),
    async confirm({ service, target, ...choice }) {
      const url = (await meantSession(linkup, choice))?.urls[0] ?? (await publicUrl(linkup, choice.config));
      return target === "local"
        ? {
            title: t("Route {0} to this machine?", service),
            message: t("Requests to {0} will reach the service on this machine.", url),
          }
        : target === "remote"
          ? {
              title: t("Route {0} to its remote copy?", service),
              message: t("Requests to {0} will reach the deployed service.", url),
            }
          : {
              title: t("Route {0} to {1}?", service, target),
              message:
                target === "auto"
                  ? t(
                      "Requests to {0} will reach the service on this machine while something listens there, and the deployed one otherwise.",
                      url,
                    )
                  : t("Requests to {0} will go there.", url),
            };
    },
  };
}

function switchOverrides(linkup: Linkup): ToolPresentation<{ names: string[]; on: boolean } & SessionChoice> {
  return {
    invocationMessage: ({ names }) => t("Switching {0}", names.join(", ")),
    async confirm({ names, on, ...choice }) {
      const url = (await meantSession(linkup, choice))?.urls[0] ?? (await publicUrl(linkup, choice.config));
      const listed = names.join(", ");
      return {
        title: on ? t("Switch on the override {0}?", listed) : t("Switch off the override {0}?", listed),
        message: t(
          "Requests to {0} that it matches will follow at once, for everyone who uses the session.",
          url,
        ),
      };
    },
  };
}

interface ShareInput {
  action: "list" | "invite" | "revoke" | "make_private" | "make_public";
  for?: string;
  kind?: "link" | "token";
  expires?: string;
  may_route?: boolean;
  id?: string;
  session?: string;
  config?: string;
}

function share(linkup: Linkup): ToolPresentation<ShareInput> {
  const questions = {
    make_public: (name: string, _: ShareInput, urls: readonly string[]) => ({
      title: t("Make the session {0} public? Everyone who knows its URL can open it then.", name),
      message: urls.join(", "),
    }),
    make_private: (name: string) => ({
      title: t("Make the session {0} private?", name),
      message: t("Those who are not invited can no longer open it."),
    }),
    revoke: (name: string, { id = "" }: ShareInput) => ({
      title: t("Revoke the invite {0} of the session {1}?", id, name),
      message: t("Everyone who used it loses access."),
    }),
    invite: (name: string, { for: whom, expires = "2d", may_route, kind }: ShareInput) => ({
      title:
        kind === "token"
          ? t("Give the agent a token for the session {0}?", name)
          : t("Give the agent an invite link to the session {0}?", name),
      message: [
        whom === undefined
          ? t("Anyone who has it can open the session for {0}.", expires)
          : t("It is for {0}. Anyone who has it can open the session for {1}.", whom, expires),
        ...(may_route
          ? [t("They may also route the session's services: to this machine, or to the deployed copies.")]
          : []),
      ].join(" "),
    }),
  };
  return {
    invocationMessage: () => t("Sharing the session"),
    async confirm(input) {
      if (input.action === "list") return undefined;
      const { name = input.session ?? input.config ?? "", urls = [] } =
        (await meantSession(linkup, input)) ?? {};
      return questions[input.action](name, input, urls);
    },
  };
}

function createPreview(
  linkup: Linkup,
): ToolPresentation<{ services: Record<string, string>; config?: string }> {
  return {
    invocationMessage: () => t("Creating a preview"),
    confirm: async ({ services, config }) => ({
      title: t("Create a preview session?"),
      message: t(
        "It gets a public URL like {0}, where {1}.",
        await publicUrl(linkup, config),
        Object.entries(services)
          .map(([name, url]) => t("{0} is {1}", name, url))
          .join(", "),
      ),
    }),
  };
}

async function theConfig(linkup: Linkup) {
  const config = await chooseConfig(linkup, undefined);
  if (!config) throw new Error("The user chose no folder.");
  return config;
}

/**
 * The session that a call names by its name or its file; else the only one of this window. Rejects where there are several:
 * the one that the user agrees to has to be the one that is changed.
 */
async function meantSession(
  linkup: Linkup,
  { session, config }: SessionChoice,
): Promise<SessionView | undefined> {
  await linkup.configs.ready();
  const { model } = linkup;
  if (session !== undefined) return selectedSession(model.snapshot, { name: session });
  if (config !== undefined) return selectedSession(model.snapshot, { configPath: config });
  const own = ownSessions(model);
  if (own.length < 2) return own[0];
  const known = own.map(({ name = "no name yet", configPath }) => `${name} (${configPath})`).join(", ");
  throw new Error(
    `This workspace has several sessions: ${known}. Ask the user which is meant, and give its name as "session" or its file as "config".`,
  );
}

/** The pattern of a session's URL, before the session has a name. */
async function publicUrl(linkup: Linkup, config?: string): Promise<string> {
  await linkup.configs.ready();
  const path = config ?? linkup.configs.files[0]?.path;
  const domain = path && (await readConfigFile(path)).domains[0]?.domain;
  return `https://…${domain ? `.${domain}` : ""}/`;
}
