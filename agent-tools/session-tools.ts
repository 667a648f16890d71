/** Tools that start, change and end sessions. The user has to agree to each. */
import * as z from "zod/mini";
import { MAX_OVERRIDES } from "../core/session/session-limits.ts";
import type { SessionView } from "../manager/model/snapshot.ts";
import { type AgentToolHost, agentTool } from "./agent-tool.ts";
import { config, described, name, session, sessionData, sessionOutput, sessionText } from "./arguments.ts";
import { chosenSession } from "./chosen-session.ts";
import { withProgress } from "./progress.ts";

/** A whole name: no pattern, which would delete several. */
const exactName = described(z.string().check(z.regex(/^[a-z0-9-]{1,63}$/)), "The session's name.");

export const startSession = agentTool({
  name: "linkup_start_session",
  title: "Start Linkup session",
  description:
    "Starts the session of a linkup.yaml, or adopts the running one, and returns its name and URLs. A session is the user's own view of the whole web system. Unless isolated it is reachable from the Internet, so the user has to agree. It ends when the program that serves this tool has ended.",
  readOnly: false,
  input: z.strictObject({
    config,
    isolated: described(
      z.optional(z.boolean()),
      "Keep the session on this machine, without a public URL. Default false.",
    ),
    private: described(
      z.optional(z.boolean()),
      "Let only those open the session who are invited by linkup_share. Otherwise it is as the user and the linkup.yaml say.",
    ),
  }),
  output: sessionOutput,
  async question({ manager, ...host }, { config, isolated = false, private: isPrivate = false }) {
    if (isolated) return undefined;
    const configPath = await host.configPath(config);
    const running = await ownSession(manager, configPath);
    if (running && isPrivate && running.access !== "private")
      return `Make the running session ${running.name ?? `of ${configPath}`} private? Those who are not invited can no longer open it.`;
    if (running) return undefined;
    if (isPrivate)
      return `Start the Linkup session of ${configPath}? It gets a public URL that only those can open who are invited.`;
    return `Start the Linkup session of ${configPath}? It gets a public URL: anyone who knows it reaches the services that are routed to this machine.`;
  },
  async run(host, { config, isolated = false, private: isPrivate = false }, signal) {
    if (isolated && isPrivate) throw new Error("An isolated session is on this machine only: omit private.");
    const configPath = await host.configPath(config);
    const kind = isolated ? "isolated" : "tunneled";
    const running = await ownSession(host.manager, configPath);
    if (running && running.kind !== kind)
      throw new Error(
        `The session ${running.name ?? "of this file"} is running and is ${running.kind}: a ${kind} one would end it, and its URL would stop working for everyone. Ask the user, then call linkup_stop_session first, or linkup_create_isolated for one beside it.`,
      );
    const start = host.start(
      { configPath, kind, ...(isPrivate ? { access: "private" as const } : {}) },
      signal,
    );
    return sessionData(await withProgress(host, "Starting the session", start));
  },
  text: sessionText,
});

export const stopSession = agentTool({
  name: "linkup_stop_session",
  title: "Stop Linkup session",
  description:
    "Stops a running Linkup session of this machine: its URLs stop working for everyone who uses them, other windows and people included, so the user has to agree. The session of a linkup.yaml keeps its name for the next start.",
  readOnly: false,
  destructive: true,
  input: z.strictObject({ session, config }),
  output: z.object({ stopped: z.string(), urls: z.array(z.string()) }),
  async question(host, choice) {
    const { name, urls, configPath } = await chosenSession(host, choice);
    const { windows, terminals } = await host.manager.otherUsers(configPath);
    const others =
      windows + terminals > 0 ? ` ${windows + terminals} other windows or terminals use it.` : "";
    return `Stop the Linkup session ${name ?? ""}? ${urls.join(", ") || "It"} stops working for everyone who uses it.${others}`;
  },
  async run(host, choice) {
    const { name, configPath, urls } = await chosenSession(host, choice);
    const selector = name === undefined ? { configPath: configPath ?? "" } : { name };
    await withProgress(host, "Stopping the session", host.manager.stop(selector));
    return { stopped: name ?? configPath ?? "", urls: [...urls] };
  },
  text: ({ stopped, urls }) => `Stopped ${stopped}. Gone: ${urls.join(", ") || "no URL"}.`,
});

export const createIsolated = agentTool({
  name: "linkup_create_isolated",
  title: "Create isolated session",
  description:
    "Creates a Linkup session beside the one of the linkup.yaml that stays on this machine: no Worker, no tunnel, no public URL. For trying something without touching the session that others may be using. linkup_delete_session ends it.",
  readOnly: false,
  input: z.strictObject({ name: name("A DNS label. Default: a random one."), config }),
  output: sessionOutput,
  async run(host, { name, config }, signal) {
    const wanted = { kind: "isolated", locations: {}, name, config } as const;
    return create(host, "Creating the session", wanted, signal);
  },
  text: sessionText,
});

export const createPreview = agentTool({
  name: "linkup_create_preview",
  title: "Create preview session",
  description:
    "Creates a Linkup preview session, for reviewers: the whole web system with the named services somewhere else, such as at a pull request's deployment. It lives on the Worker and needs nothing on this machine. Returns its public URLs; the same content gives the same name. The user has to agree.",
  readOnly: false,
  input: z.strictObject({
    services: described(
      z.record(z.string(), z.string().check(z.minLength(1), z.maxLength(8_192))),
      "By service name, the http(s) URL where the service is in the preview; not on localhost.",
    ),
    name: name("A DNS label. Default: made of the content."),
    private: described(
      z.optional(z.boolean()),
      "Let only those open it who are invited by linkup_share. Default false.",
    ),
    config,
  }),
  output: sessionOutput,
  async question(host, { services, config, private: isPrivate }) {
    const places = Object.entries(services).map(([service, place]) => `${service} at ${place}`);
    return `Create a preview session of ${await host.configPath(config)} ${isPrivate ? "that only those can open who are invited" : "with a public URL"}, and with ${places.join(", ") || "nothing replaced"}?`;
  },
  async run(host, { services, name, config, private: isPrivate = false }, signal) {
    const access = isPrivate ? "private" : undefined;
    const wanted = { kind: "preview", locations: services, name, access, config } as const;
    return create(host, "Creating the preview", wanted, signal);
  },
  text: sessionText,
});

export const deleteSession = agentTool({
  name: "linkup_delete_session",
  title: "Delete Linkup session",
  description:
    "Deletes a Linkup session by its name: one of this machine, or one of the Worker that the linkup.yaml names, such as a preview. Its URLs stop working for everyone, so the user has to agree.",
  readOnly: false,
  destructive: true,
  input: z.strictObject({ session: exactName, config }),
  output: z.object({ deleted: z.array(z.string()) }),
  question: async (_, { session }) =>
    `Delete the Linkup session ${session}? Its URLs stop working for everyone who uses them.`,
  async run(host, { session, config }) {
    // Sessions of this machine can be deleted without a linkup.yaml.
    const configPath =
      config === undefined ? await host.configPath(undefined).catch(() => undefined) : config;
    return { deleted: await withProgress(host, "Deleting", host.manager.remove(session, configPath)) };
  },
  text: ({ deleted }) => `Deleted ${deleted.join(", ")}.`,
});

export const routeService = agentTool({
  name: "linkup_route_service",
  title: "Route service",
  description:
    "Routes a service of a running Linkup session to its copy on this machine (local), to the shared deployed one (remote), or to whichever is there (auto: local while something listens at its local address); or to another place: an http(s) URL, a name of its targets in linkup.yaml, or session:NAME, the copy of another session whose owner allows it. The next request follows. With local or auto, everyone who knows the session's URL reaches the service on this machine, so the user has to agree.",
  readOnly: false,
  input: z.strictObject({
    service: described(
      z.string().check(z.minLength(1), z.maxLength(253)),
      "The service's name in linkup.yaml.",
    ),
    target: described(
      z.string().check(z.minLength(1), z.maxLength(8_192)),
      "local, remote, auto, an http(s) URL, a name of the service's targets in linkup.yaml, or session:NAME.",
    ),
    session,
    config,
  }),
  output: sessionOutput,
  async run(host, { service, target, ...choice }, signal) {
    const selector = await host.selector(choice, host.choose);
    const routed = host.manager.route(selector, [service], target, signal);
    return sessionData(await withProgress(host, `Routing ${service} to ${target}`, routed));
  },
  text: sessionText,
});

export const switchOverrides = agentTool({
  name: "linkup_switch_overrides",
  title: "Switch overrides",
  description:
    "Switches overrides of a running Linkup session on or off: parts of services, by path, method or header, that go elsewhere (local, remote, a URL), get a fixed response, or a fault (delay, status, broken connection). For trying how a page copes with an API that is slow or down, or one endpoint of this machine with the rest remote. The next request follows, for everyone who uses the session, so the user has to agree. linkup_get_status lists them. They are written in linkup.yaml, under overrides: add, change or remove one there and save the file, then switch it on here.",
  readOnly: false,
  input: z.strictObject({
    names: described(
      z
        .array(z.string().check(z.minLength(1), z.maxLength(63)))
        .check(z.minLength(1), z.maxLength(MAX_OVERRIDES)),
      "The overrides' names in linkup.yaml.",
    ),
    on: described(z.boolean(), "false switches them off."),
    session,
    config,
  }),
  output: z.object({
    session: z.optional(z.string()),
    overrides: described(
      z.array(z.object({ name: z.string(), on: z.boolean(), when: z.string(), does: z.string() })),
      "All overrides of the session, in order: the first that is on and matches a request wins.",
    ),
  }),
  async run(host, { names, on, ...choice }, signal) {
    const selector = await host.selector(choice, host.choose);
    const switched = host.manager.setOverrides(selector, names, on, signal);
    const { name, overrides = [] } = await withProgress(host, `Switching ${names.join(", ")}`, switched);
    return {
      ...(name === undefined ? {} : { session: name }),
      overrides: overrides.map(({ name, on, service, when, does }) => ({
        name,
        on,
        when: [...(service === undefined ? [] : [service]), when].filter(Boolean).join(" "),
        does,
      })),
    };
  },
  text: ({ overrides }) =>
    overrides
      .map(({ name, on, when, does }) => `${name}: ${on ? "on" : "off"}, ${when || "all"} → ${does}`)
      .join("\n"),
});

interface WantedSession {
  kind: "isolated" | "preview";
  locations: Record<string, string>;
  name: string | undefined;
  access?: "private" | undefined;
  config: string | undefined;
}

async function create(
  host: AgentToolHost,
  what: string,
  { kind, locations, name, access, config }: WantedSession,
  signal: AbortSignal | undefined,
): Promise<z.input<typeof sessionOutput>> {
  const configPath = await host.configPath(config);
  const created = host.manager.create(
    { configPath, kind, locations, ...(name ? { name } : {}), ...(access ? { access } : {}) },
    signal,
  );
  return sessionData(await withProgress(host, what, created));
}

/** The primary session of a file. */
async function ownSession(
  manager: AgentToolHost["manager"],
  configPath: string,
): Promise<SessionView | undefined> {
  const { sessions } = await manager.look();
  return sessions.find(
    (each) => each.configPath === configPath && !each.secondary && each.state !== "stopping",
  );
}
