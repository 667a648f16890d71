import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import type { Exchange } from "../core/api/request-log-api.ts";
import manifest from "../package.json" with { type: "json" };
import type { AgentToolHost } from "./agent-tool.ts";
import { AGENT_TOOLS } from "./catalogue.ts";

const never = new AbortController().signal;

/** Calls a tool whose program has these requests in its log. */
function call(name: string, input: unknown, log: Partial<AgentToolHost["manager"]["requestLog"]> = {}) {
  const host = { manager: { requestLog: log } } as AgentToolHost;
  return AGENT_TOOLS.find((tool) => tool.name === name)!.run(host, input, never);
}

describe("package.json's language-model tools are those of the catalogue", () => {
  const declared = manifest.contributes.languageModelTools;
  test("by name", () =>
    expect(declared.map(({ name }) => name)).toEqual(AGENT_TOOLS.map(({ name }) => name)));
  test.each(AGENT_TOOLS.map((tool) => [tool.name, tool] as const))(
    "%s",
    (name, { description, inputSchema }) => {
      expect(declared.find((tool) => tool.name === name)).toMatchObject({ modelDescription: description });
      expect(declared.find((tool) => tool.name === name)!.inputSchema).toEqual(inputSchema);
    },
  );
});

test.each([
  ["linkup_start_session", { isolated: "yes" }, '"isolated" must be true or false, not "yes".'],
  [
    "linkup_explain_request",
    { url: "http://a.example", headers: "nope" },
    '"headers" must be an object, not "nope".',
  ],
  ["linkup_explain_request", { url: "nope" }, '"url" must be an absolute http or https URL.'],
  ["linkup_get_requests", { limit: -1 }, '"limit" must be at least 1, not -1.'],
  ["linkup_get_requests", { limit: 1e6 }, '"limit" must be at most 100, not 1000000.'],
  ["linkup_get_requests", { limit: 1.5 }, '"limit" must be a whole number, not 1.5.'],
  ["linkup_get_requests", { id: 0 }, '"id" must be at least 1, not 0.'],
  [
    "linkup_route_service",
    { service: "web", target: "" },
    '"target" must be a string that is not empty, not "".',
  ],
  ["linkup_route_service", { service: "web" }, '"target" is missing: it must be a string.'],
  [
    "linkup_route_service",
    { service: "", target: "local" },
    '"service" must be a string that is not empty, not "".',
  ],
  ["linkup_get_status", { all: true }, 'There is no argument "all": this tool takes no arguments.'],
  [
    "linkup_start_session",
    { isolate: true },
    'There is no argument "isolate": this tool takes config, isolated, private.',
  ],
  ["linkup_get_status", [], "The arguments must be an object, not []."],
  ["linkup_get_requests", { before: 0 }, '"before" must be at least 1, not 0.'],
  ["linkup_list_sessions", { limit: 101 }, '"limit" must be at most 100, not 101.'],
  ["linkup_list_sessions", { where: "moon" }, '"where" must be "machine" or "worker", not "moon".'],
  ["linkup_compare", { ids: [0] }, '"ids.0" must be at least 1, not 0.'],
  ["linkup_compare", { last: 1_000 }, '"last" must be at most 60, not 1000.'],
  ["linkup_delete_session", {}, '"session" is missing: it must be a string.'],
  [
    "linkup_delete_session",
    { session: "*" },
    '"session" must be a session\'s name: a–z, 0–9 and -, not "*".',
  ],
  [
    "linkup_logs",
    { component: "disk" },
    '"component" must be "local-server" or "tunnel" or "local-dns" or "keeper", not "disk".',
  ],
  ["linkup_logs", { before: 5 }, '"before" needs "component": it is a place in one log.'],
  ["linkup_doctor", { all: 1 }, '"all" must be true or false, not 1.'],
  ["linkup_share", {}, '"action" is missing: it must be "list" or "invite" or "revoke" or'],
  ["linkup_share", { action: "revoke" }, '"id" is missing: call with action list first.'],
  ["linkup_share", { action: "invite", expires: "soon" }, '"expires" must be a time such as 12h'],
  ["linkup_share", { action: "invite", expires: "400d" }, 'of at most 366d, not "400d".'],
  ["linkup_share", { action: "invite", kind: "token", uses: 1 }, '"uses" is for links, not for tokens.'],
])("%s refuses %j", async (name, input, sentence) => {
  await expect(call(name, input)).rejects.toThrow(sentence);
});

const exchange = (id: number, words: string) => ({ id, time: 0, method: "GET", host: words, target: words });

test("texts of requests are cut, their invisible characters shown, and all of it is marked as untrusted", async () => {
  const words = `/\u001b[2J\u202e\u{e0041}${"x".repeat(10_000)}`;
  const requests = async () => [exchange(1, words)] as Exchange[];
  const { text, structured } = await call("linkup_get_requests", {}, { requests });
  const [request] = structured.requests as { target: string }[];
  expect(request!.target).toMatch(/^\/\ufffd\[2J\ufffd\ufffdx+…$/);
  expect(request!.target.length).toBeLessThan(310);
  expect(text.indexOf("Untrusted content")).toBeLessThan(30);
  expect(JSON.parse(text)).toEqual(structured);
});

test("an answer of many requests leaves out the oldest, and says how many", async () => {
  const all = Array.from({ length: 100 }, (_, i) => exchange(i + 1, "x".repeat(9_000)));
  const { text, structured } = await call(
    "linkup_get_requests",
    { limit: 100 },
    { requests: async () => all as Exchange[] },
  );
  expect(text.length).toBeLessThan(60_000);
  const requests = structured.requests as Exchange[];
  expect(requests.at(-1)!.id).toBe(100);
  expect(structured.omitted).toBe(100 - requests.length);
  expect(structured.omitted).toBeGreaterThan(0);
});

test("no requests are explained", async () => {
  const { structured } = await call("linkup_get_requests", {}, { requests: async () => [] });
  expect(structured).toMatchObject({ requests: [], note: expect.stringContaining("No request") });
});

test("a status of very many services is cut, and says so", async () => {
  const service = (i: number) => ({ name: `s${i}`, target: "local", local: "x".repeat(9_000), remote: "y" });
  const sessions = [{ name: "mine", services: Array.from({ length: 5_000 }, (_, i) => service(i)) }];
  const refresh = async () => ({ sessions, components: [], problems: [] });
  const host = { manager: { refresh } } as unknown as AgentToolHost;
  const { text, structured } = await AGENT_TOOLS[0]!.run(host, {}, never);
  expect(text.length).toBeLessThan(60_000);
  expect((structured.sessions as typeof sessions)[0]!.services).toHaveLength(50);
  expect(structured.note).toContain("50 services");
});

test("a reason in the words of others is cut, too", async () => {
  const requests = () => Promise.reject(new Error(`\u001b[2J${"x".repeat(100_000)}`));
  await expect(call("linkup_get_requests", {}, { requests })).rejects.toThrow(/^\ufffd\[2Jx{900,1000}…$/);
});

test("requests are paged from the newest to the oldest", async () => {
  const all = Array.from({ length: 25 }, (_, i) => exchange(i + 1, "/"));
  const requests = async ({ before = 26, limit = 20 }: { before?: number; limit?: number }) =>
    all.filter(({ id }) => id < before).slice(-limit) as Exchange[];
  const seen: number[] = [];
  let before: number | undefined;
  for (let page = 0; page < 4; page++) {
    const { structured } = await call("linkup_get_requests", { limit: 10, before }, { requests });
    seen.unshift(...(structured.requests as Exchange[]).map(({ id }) => id));
    if (structured.next_before === null) break;
    before = structured.next_before as number;
  }
  expect(seen).toEqual(all.map(({ id }) => id));
});

describe("sessions", () => {
  const session = (name: string, more: object = {}) => ({
    name,
    kind: "tunneled",
    state: "running",
    configPath: "/shop/linkup.yaml",
    secondary: false,
    urls: [`https://${name}.example.com/`],
    services: [{ name: "web", target: "local", local: "http://localhost:1", health: "unhealthy" }],
    ...more,
  });
  /** A program whose machine has these sessions; `asked` tells what it was asked to do. */
  const program = (sessions: object[], more: Partial<AgentToolHost> = {}) => {
    const asked: unknown[] = [];
    const manager = {
      look: async () => ({ sessions, components: [], problems: [] }),
      onDidChange: () => ({ dispose() {} }),
      stop: async (selector: unknown) => void asked.push(["stop", selector]),
      otherUsers: async () => ({ windows: 1, terminals: 1 }),
      workerSessions: async (_: string, { after, limit }: { after?: string; limit: number }) => ({
        sessions: ["a", "b", "c"]
          .filter((name) => name > (after ?? ""))
          .slice(0, limit)
          .map((name) => ({ session_name: name, session_kind: "preview" })),
      }),
      compare: async () => [
        {
          id: 7,
          method: "GET",
          target: "/\u001b[2J",
          service: "web",
          skipped: null,
          local: { status: 200, ms: 1, url: "", headers: [], body: null },
          remote: { status: 500, ms: 2, url: "", headers: [], body: null },
          differences: [{ where: "status", path: "", local: "200", remote: "500" }],
          withheld: [],
        },
      ],
      remove: async (name: string, path: string | undefined) => {
        asked.push(["remove", name, path]);
        return [name];
      },
      create: async (request: object) => {
        asked.push(["create", request]);
        return session("side", { kind: "isolated" });
      },
    };
    const host = {
      manager,
      home: "/nowhere",
      configPath: async () => "/shop/linkup.yaml",
      selector: async ({ session }: { session?: string }) =>
        session ? { name: session } : { configPath: "/shop/linkup.yaml" },
      start: async (request: unknown) => {
        asked.push(["start", request]);
        return session("slim-gecko");
      },
      ...more,
    } as unknown as AgentToolHost;
    const run = (name: string, input: object = {}) =>
      AGENT_TOOLS.find((tool) => tool.name === name)!.run(host, input, never);
    return { asked, run };
  };

  test("are listed a row each, page by page, and an empty list says why", async () => {
    const { run } = program(Array.from({ length: 3 }, (_, i) => session(`s${i}`)));
    const { structured } = await run("linkup_list_sessions", { limit: 2 });
    expect(structured).toMatchObject({ next_after: "s1" });
    expect(structured.sessions).toMatchObject([
      { name: "s0", services: 1, local: 1, unhealthy: 1, beside: false },
      { name: "s1" },
    ]);
    const rest = (await run("linkup_list_sessions", { after: "s1" })).structured;
    expect(rest).toMatchObject({ sessions: [{ name: "s2" }], next_after: null });
    const none = await program([]).run("linkup_list_sessions");
    expect(none.structured).toMatchObject({ sessions: [], note: expect.stringContaining("No session") });
  });

  test("of the Worker are paged the same way", async () => {
    const { run } = program([]);
    const first = (await run("linkup_list_sessions", { where: "worker", limit: 2 })).structured;
    expect(first).toMatchObject({
      sessions: [{ name: "a", kind: "preview" }, { name: "b" }],
      next_after: "b",
    });
    const rest = (await run("linkup_list_sessions", { where: "worker", limit: 2, after: "b" })).structured;
    expect(rest).toMatchObject({ sessions: [{ name: "c" }], next_after: null });
  });

  test("a comparison tells statuses and differences, and no bodies", async () => {
    const { structured } = await program([session("slim-gecko")]).run("linkup_compare");
    expect(structured).toMatchObject({ untrusted: expect.stringContaining("Untrusted"), omitted: 0 });
    expect(structured.rows).toEqual([
      {
        id: 7,
        method: "GET",
        target: "/\ufffd[2J",
        service: "web",
        skipped: null,
        local: { status: 200, ms: 1 },
        remote: { status: 500, ms: 2 },
        differences: [{ where: "status", path: "", local: "200", remote: "500" }],
        withheld: [],
      },
    ]);
  });

  test.each([
    [true, "tunneled"],
    [false, "isolated"],
  ])("a start (isolated: %s) never ends a running one of the other kind", async (isolated, kind) => {
    const { asked, run } = program([session("slim-gecko", { kind })]);
    await expect(run("linkup_start_session", { isolated })).rejects.toThrow(
      /slim-gecko is running and is (tunneled|isolated).*linkup_create_isolated/,
    );
    expect(asked).toEqual([]);
  });

  test("the user is asked before a public URL appears and before URLs end", async () => {
    const questions: string[] = [];
    const confirm = async (question: string) => {
      questions.push(question);
      return false;
    };
    const { asked, run } = program([session("slim-gecko")], { confirm });
    await expect(run("linkup_stop_session")).rejects.toThrow("The user refused.");
    await expect(run("linkup_delete_session", { session: "a1b2c3" })).rejects.toThrow("The user refused.");
    const idle = program([], { confirm });
    await expect(idle.run("linkup_start_session")).rejects.toThrow("The user refused.");
    expect(questions).toEqual([
      "Stop the Linkup session slim-gecko? https://slim-gecko.example.com/ stops working for everyone who uses it. 2 other windows or terminals use it.",
      "Delete the Linkup session a1b2c3? Its URLs stop working for everyone who uses them.",
      "Start the Linkup session of /shop/linkup.yaml? It gets a public URL: anyone who knows it reaches the services that are routed to this machine.",
    ]);
    expect([...asked, ...idle.asked]).toEqual([]);
    // Adopting the running one and staying on this machine need no question.
    await run("linkup_start_session");
    await run("linkup_create_isolated", { name: "side" });
    expect(questions).toHaveLength(3);
    expect(asked).toMatchObject([
      ["start", { kind: "tunneled" }],
      ["create", { kind: "isolated", name: "side" }],
    ]);
  });

  test("stop and delete name what is gone", async () => {
    const { asked, run } = program([session("slim-gecko")]);
    expect((await run("linkup_stop_session")).text).toBe(
      "Stopped slim-gecko. Gone: https://slim-gecko.example.com/.",
    );
    expect((await run("linkup_delete_session", { session: "a1b2c3" })).structured).toEqual({
      deleted: ["a1b2c3"],
    });
    expect(asked).toEqual([
      ["stop", { name: "slim-gecko" }],
      ["remove", "a1b2c3", "/shop/linkup.yaml"],
    ]);
    await expect(run("linkup_stop_session", { session: "nobody" })).rejects.toThrow(
      "There is no such session. Running: slim-gecko.",
    );
  });

  test("doctor reports what is wrong, and says when nothing is", async () => {
    const check = (id: string, state: string) => ({ id, subject: undefined, state, found: id, fixes: [] });
    const checked = (...checks: object[]) => ({ health: async () => ({ healthy: true, checks }) });
    const fix = { command: "start", title: "Start", terminal: "linkup start" };
    const broken = { ...check("worker", "broken"), fixes: [fix] };
    const one = program([], { manager: checked(check("state", "ok"), broken) } as never);
    expect((await one.run("linkup_doctor")).structured.checks).toEqual([
      { id: "worker", state: "broken", found: "worker", fixes: ["Start: linkup start"] },
    ]);
    expect((await one.run("linkup_doctor", { all: true })).structured.checks).toHaveLength(2);
    const fine = program([], { manager: checked(check("state", "ok")) } as never);
    expect((await fine.run("linkup_doctor")).structured.note).toBe("Nothing is broken: 1 checks passed.");
  });

  test("logs are paged back to their start, bounded, and marked as untrusted", async () => {
    const home = mkdtempSync(join(tmpdir(), "linkup-agent-logs-"));
    onTestFinished(() => rmSync(home, { recursive: true }));
    mkdirSync(join(home, "logs"));
    const written = Array.from({ length: 120 }, (_, i) => `line ${i} \u001b[2J`);
    writeFileSync(join(home, "logs", "local-server.log"), `${written.join("\n")}\n`);
    writeFileSync(join(home, "logs", "cloudflared-slim-gecko.log"), "x".repeat(500_000));
    const { run } = program([], { home });
    const every = await run("linkup_logs");
    expect(every.text.length).toBeLessThan(60_000);
    expect(every.structured.untrusted).toContain("Untrusted");
    const read: string[] = [];
    for (let before: number | null | undefined; before !== null; ) {
      const page = await run("linkup_logs", {
        component: "local-server",
        lines: 50,
        ...(before === undefined ? {} : { before }),
      });
      const [log] = page.structured.logs as { lines: string[]; next_before: number | null }[];
      read.unshift(...log!.lines);
      before = log!.next_before;
    }
    expect(read).toEqual(written.map((line) => line.replace("\u001b", "\ufffd")));
    const none = await run("linkup_logs", { component: "local-dns" });
    expect(none.structured).toMatchObject({
      logs: [],
      note: expect.stringContaining("Nothing has been logged"),
    });
  });
});

describe("sharing", () => {
  const URL = "https://slim-gecko.example.com/linkup/join#secret-of-the-invite";
  const INVITE = {
    id: "3f9c",
    name: "Ana",
    kind: "link",
    rights: ["visit"],
    created: 0,
    expires: Date.UTC(2026, 0, 2),
    uses: 1,
    used: 0,
    last_used: null,
  };
  function sharing(access: string, confirm?: (question: string) => Promise<boolean>) {
    const asked: unknown[][] = [];
    const view = { name: "slim-gecko", access, urls: ["https://slim-gecko.example.com/"], services: [] };
    const record =
      (method: string, answer: unknown) =>
      async (...args: unknown[]) => {
        asked.push([method, ...args.slice(1)].filter((arg) => !(arg instanceof AbortSignal)));
        return answer;
      };
    const manager = {
      look: async () => ({ sessions: [view] }),
      invites: record("invites", [INVITE]),
      invite: record("invite", { ...INVITE, url: URL }),
      revokeInvite: record("revokeInvite", undefined),
      setAccess: record("setAccess", { ...view, access: access === "private" ? "public" : "private" }),
    };
    const selector = vi.fn(async () => ({ name: "slim-gecko" }));
    const host = { manager, selector, ...(confirm ? { confirm } : {}) } as unknown as AgentToolHost;
    const tool = AGENT_TOOLS.find(({ name }) => name === "linkup_share")!;
    return { asked, selector, share: (input: object) => tool.run(host, input, never) };
  }

  const ACTIONS: [object, string][] = [
    [
      { action: "invite", for: "Ana", uses: 1, expires: "12h" },
      "Give the agent a link for the session slim-gecko? With it Ana can open it for 12h, once.",
    ],
    [
      { action: "make_public" },
      "Make the session slim-gecko public? Everyone who knows its URL can open it then: https://",
    ],
    [{ action: "make_private" }, "Make the session slim-gecko private?"],
    [{ action: "revoke", id: "3f9c" }, "Revoke the invite 3f9c of the session slim-gecko?"],
  ];

  test.each(ACTIONS)("%j asks the user, and does nothing where that cannot be", async (input, question) => {
    const silent = sharing("private");
    await expect(silent.share(input)).rejects.toThrow("this client cannot ask");
    await expect(silent.share(input)).rejects.toThrow(question);
    const questions: string[] = [];
    const refused = sharing("private", async (text) => questions.push(text) === 0);
    await expect(refused.share(input)).rejects.toThrow("The user refused. Nothing has changed.");
    expect(questions).toEqual([expect.stringContaining(question)]);
    expect([...silent.asked, ...refused.asked]).toEqual([]);
    const agreed = sharing("private", async () => true);
    await agreed.share(input);
    expect(agreed.asked).toHaveLength(1);
  });

  test("the user chooses the session once: the one that the question named", async () => {
    const { share, selector } = sharing("private", async () => true);
    await share({ action: "make_public" });
    expect(selector).toHaveBeenCalledTimes(1);
  });

  test("the secret is in the answer that the user agreed to, and in no list", async () => {
    const { share, asked } = sharing("private", async () => true);
    const made = await share({ action: "invite", for: "Ana", uses: 1, expires: "12h" });
    expect(asked).toEqual([["invite", { expires_in: 43_200, name: "Ana", uses: 1 }]]);
    expect(made.structured).toMatchObject({ session: "slim-gecko", made: { id: "3f9c" }, secret: URL });
    const { structured, text } = await sharing("private").share({ action: "list" });
    expect(structured).toMatchObject({
      access: "private",
      invites: [{ id: "3f9c", for: "Ana", expires: "2026-01-02T00:00:00.000Z", uses: 1, used: 0 }],
    });
    expect(text).not.toContain("secret-of-the-invite");
  });

  test("a public session has only invites that may route", async () => {
    const questions: string[] = [];
    const { share, asked } = sharing("public", async (text) => questions.push(text) > 0);
    await expect(share({ action: "invite" })).rejects.toThrow("The session slim-gecko is public");
    await share({ action: "invite", kind: "token", may_route: true });
    expect(questions.at(-1)).toBe(
      "Give the agent a token for the session slim-gecko? With it anyone can route its services, also to this machine, for 2d.",
    );
    expect(asked).toEqual([["invite", { kind: "token", rights: ["visit", "route"] }]]);
  });
});
