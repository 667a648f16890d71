/** What agents can do with Linkup: the same as the commands, one tool each. */
import type { Target } from "../../core/config/parse-config.ts";
import type { Manager } from "../../manager/manager.ts";
import type { SessionView } from "../../manager/model/snapshot.ts";
import { requestsForAgents } from "../../manager/requests-for-agents.ts";
import { needConfig, selectSession } from "../context.ts";
import { explanationText } from "../print/explanation.ts";
import type { Tool } from "./protocol.ts";

const config = {
  type: "string",
  description: "Absolute path of the linkup.yaml. Default: LINKUP_CONFIG, else the nearest one upwards.",
};
const session = { type: "string", description: "The session's name. Default: that of the linkup.yaml." };
const looks = { readOnlyHint: true, openWorldHint: false };
const changes = { readOnlyHint: false, openWorldHint: true };

export function linkupTools(manager: Manager): Tool[] {
  return [
    getStatus(manager),
    startSession(manager),
    routeService(manager),
    explain(manager),
    getRequests(manager),
    preview(manager),
  ];
}

function getStatus(manager: Manager): Tool {
  return {
    name: "linkup_get_status",
    title: "Linkup status",
    description:
      "The Linkup sessions of this machine as JSON: name, URLs, each service with its target (local or remote), address and health, the components and the problems.",
    inputSchema: { type: "object", properties: {} },
    annotations: looks,
    run: async () => JSON.stringify(await manager.refresh(), null, 2),
  };
}

function startSession(manager: Manager): Tool {
  return {
    name: "linkup_start_session",
    title: "Start Linkup session",
    description:
      "Starts the session of a linkup.yaml, or adopts the one that runs: the user's own view of the whole web system. Unless isolated it has a public URL, so ask the user first. It runs as long as this server does.",
    inputSchema: {
      type: "object",
      properties: {
        config,
        isolated: {
          type: "boolean",
          description: "Without a public URL, on this machine only. Default false.",
        },
      },
    },
    annotations: changes,
    async run({ config, isolated }) {
      const configPath = needConfig(config as string | undefined);
      return described(await manager.start({ configPath, kind: isolated ? "isolated" : "tunneled" }));
    },
  };
}

function routeService(manager: Manager): Tool {
  return {
    name: "linkup_route_service",
    title: "Route service",
    description:
      "Routes a service of a running session to its copy on this machine (local) or to the shared deployed one (remote). The next request follows. With local, everyone who knows the session's URL reaches the service on this machine: ask the user first.",
    inputSchema: {
      type: "object",
      properties: {
        service: { type: "string", description: "The service's name in linkup.yaml." },
        target: { type: "string", enum: ["local", "remote"] },
        session,
        config,
      },
      required: ["service", "target"],
    },
    annotations: changes,
    async run({ service, target, ...where }) {
      if (target !== "local" && target !== "remote") throw new Error('target is "local" or "remote".');
      const selector = await selectSession(manager, where);
      return described(await manager.route(selector, [String(service)], target as Target));
    },
  };
}

function explain(manager: Manager): Tool {
  return {
    name: "linkup_explain_request",
    title: "Explain request",
    description:
      "Where a request would go, and why: which header names the session, which domain, route and rewrites apply, and the target; or why it would be answered with 422 or 404.",
    inputSchema: {
      type: "object",
      properties: {
        url: { type: "string", description: "The absolute URL of the request." },
        headers: {
          type: "object",
          additionalProperties: { type: "string" },
          description: "Request headers, such as Referer, Origin or tracestate.",
        },
        session,
        config,
      },
      required: ["url"],
    },
    annotations: looks,
    async run({ url, headers, ...where }) {
      const selector = await selectSession(manager, where);
      const explanation = await manager.explain(
        selector,
        String(url),
        (headers ?? {}) as Record<string, string>,
      );
      return explanationText(String(url), explanation);
    },
  };
}

function getRequests(manager: Manager): Tool {
  return {
    name: "linkup_get_requests",
    title: "Linkup requests",
    description:
      "The newest requests that came to this machine's local server, as JSON, oldest first: method, host, path, status, session, service, target URL, bytes, timings, what broke off; for a request without a session, who likely sent it. With an id all of that request: why it went where it went, and its headers. Secrets are replaced by ***.",
    inputSchema: {
      type: "object",
      properties: {
        id: { type: "integer", description: "Only this request, in detail." },
        session: { type: "string", description: "Only those of this session." },
        service: { type: "string", description: "Only those that went to this service." },
        failed: { type: "boolean", description: "Only those with status 400 and more, or that broke off." },
        path: { type: "string", description: "Only those whose host and path have this text." },
        limit: { type: "integer", description: "How many. Default 20." },
      },
    },
    annotations: looks,
    run: (input) => requestsForAgents(manager.requestLog, input),
  };
}

function preview(manager: Manager): Tool {
  return {
    name: "linkup_create_preview",
    title: "Create preview session",
    description:
      "Creates a preview for reviewers: the whole system with some services elsewhere, such as at a pull request's deployment. It has a public URL, so ask the user first. The same content gives the same name.",
    inputSchema: {
      type: "object",
      properties: {
        services: {
          type: "object",
          additionalProperties: { type: "string" },
          description: "By service name, its http(s) URL in the preview; not on localhost.",
        },
        name: { type: "string", description: "A DNS label. Default: made of the content." },
        config,
      },
      required: ["services"],
    },
    annotations: changes,
    async run({ services, name, config }) {
      const create = {
        configPath: needConfig(config as string | undefined),
        kind: "preview" as const,
        locations: services as Record<string, string>,
        ...(name === undefined ? {} : { name: String(name) }),
      };
      return described(await manager.create(create));
    },
  };
}

function described({ name, kind, state, urls, services }: SessionView): string {
  const routed = services.map(
    ({ name, target, local, remote }) => `${name}: ${target}, ${target === "local" ? local : remote}`,
  );
  return [`Session ${name} (${kind}) is ${state}: ${urls.join(", ")}`, ...routed].join("\n");
}
