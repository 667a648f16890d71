import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, test, vi } from "vitest";
import { LinkupError } from "../../manager/model/problem.ts";
import manifest from "../../package.json" with { type: "json" };
import {
  configFile,
  editor,
  openWindow,
  SESSION,
  writeSmallConfig,
} from "../../test/support/extension-window.ts";
import { BACK, Uri, workspace } from "../../test/support/vscode.ts";
import { COMMANDS, type Command } from "../ids.ts";
import type { Row } from "../views/rows.ts";
import { installCloudflared } from "./doctor.ts";

const folder = mkdtempSync(join(tmpdir(), "linkup-commands-"));
afterAll(() => rmSync(folder, { recursive: true }));

const file = writeSmallConfig(folder);
const CONFIG = configFile(file);
const session = { ...SESSION, configPath: file };
const running = { snapshot: { sessions: [session], components: [], problems: [] }, configs: [CONFIG] };
const row = (subject: Row["subject"]) => ({ subject }) as Row;
const toasts = () => editor.shown.map(({ kind, text }) => `${kind}: ${text}`);

test("every command is registered", () => {
  openWindow();
  // The others are of pages, and come with the first command.
  expect([...editor.commands.keys()].sort()).toEqual(
    [...COMMANDS, "switchOverride"].map((name) => `linkup.${name}`).sort(),
  );
});

describe("start and stop", () => {
  test("the only file is started", async () => {
    const { asked, run } = openWindow({ configs: [CONFIG] });
    await run("start");
    expect(asked).toEqual([`start ${file} tunneled`]);
  });

  test("a private start says so", async () => {
    const { asked, run } = openWindow({ configs: [CONFIG] });
    await run("startPrivate");
    expect(asked).toEqual([`start ${file} tunneled private`]);
  });

  test("of several files the user chooses", async () => {
    const other = configFile("/blog/linkup.yaml", { folder: "blog" });
    const { asked, run } = openWindow({ configs: [CONFIG, other] });
    editor.answers.push("blog");
    await run("startIsolated");
    expect(asked).toEqual(["start /blog/linkup.yaml isolated"]);
  });

  test("a file that the setting names, and that is not there, is named", async () => {
    const { run, asked } = openWindow();
    const { workspaceFolders } = workspace;
    workspace.workspaceFolders = [{ name: "shop", uri: Uri.file("/shop"), index: 0 }];
    editor.settings.set("linkup.configPath", "conf/system.yaml");
    await run("start");
    expect(toasts().join()).toContain("linkup.configPath names /shop/conf/system.yaml, which does not exist");
    expect(asked).toEqual([]);
    workspace.workspaceFolders = workspaceFolders;
  });

  test("without a file the way to one is offered", async () => {
    const { run, asked } = openWindow();
    editor.answers.push("Create linkup.yaml");
    await run("start");
    await expect.poll(() => editor.shown.length).toBeGreaterThan(0);
    expect(editor.shown[0]!.items).toEqual(["Create linkup.yaml"]);
    expect(asked).toEqual([]);
  });

  test("in Restricted Mode nothing starts, and trust can be managed", async () => {
    const { asked, run } = openWindow({ configs: [CONFIG] });
    editor.trusted = false;
    editor.answers.push("Manage Workspace Trust");
    await run("start");
    expect(asked).toEqual([]);
    expect(editor.executed.map(({ command }) => command)).toContain("workbench.trust.manage");
  });

  test("an isolated start over a session that others may use asks first", async () => {
    const { asked, run } = openWindow(running);
    await run("startIsolated");
    expect(toasts()).toEqual(["warning: Replace the running session slim-gecko?"]);
    expect(asked).toEqual([]);
    editor.answers.push("Replace");
    await run("startIsolated");
    expect(asked).toEqual([`start ${file} isolated`]);
  });

  test("stop, restart, and a component's restart", async () => {
    const { asked, run } = openWindow(running);
    await run("stop");
    await run("restart");
    const component = {
      id: "tunnel",
      state: "ready",
      pid: 1,
      since: 0,
      detail: "",
      outdated: false,
    } as const;
    await run("restart", row({ is: "component", component }));
    expect(asked).toEqual([
      'stop {"name":"slim-gecko"}',
      'stop {"name":"slim-gecko"}',
      `start ${file} tunneled`,
      'restart "tunnel"',
    ]);
  });

  test("stop cancels a start in progress", async () => {
    const { asked, run } = openWindow({ configs: [CONFIG], starting: new Set([file]) });
    await run("stop");
    expect(asked).toEqual([`cancel ${file}`]);
  });
});

describe("routing", () => {
  test("a pick toggles the service", async () => {
    const { asked, run } = openWindow(running);
    editor.answers.push("web");
    await run("routeService");
    expect(asked).toEqual(['route {"name":"slim-gecko"} ["web"] "local"']);
    expect(editor.shown[0]!.text).toBe("Route Service of slim-gecko");
  });

  test("all, and a row's service", async () => {
    const { asked, run } = openWindow(running);
    await run("routeAllLocal");
    await run("routeToRemote", row({ is: "service", session, service: session.services[0]! }));
    expect(asked).toEqual([
      'route {"name":"slim-gecko"} "all" "local"',
      'route {"name":"slim-gecko"} ["web"] "remote"',
    ]);
  });

  test("an override, by its code lens", async () => {
    const { asked } = openWindow(running);
    const override = { name: "down", on: false, service: "api", does: "respond 503", when: "" };
    await editor.commands.get("linkup.switchOverride")!(session, override);
    await editor.commands.get("linkup.switchOverride")!(session, { ...override, on: true });
    expect(asked).toEqual([
      'setOverrides {"name":"slim-gecko"} ["down"] true',
      'setOverrides {"name":"slim-gecko"} ["down"] false',
    ]);
  });

  test("a list of targets, with a check at the current one, for all selected services", async () => {
    const { asked, run } = openWindow(running);
    const service = { ...session.services[0]!, targets: ["staging"] };
    const own = { ...session, services: [service] };
    editor.answers.push("auto");
    await run("routeServiceTo", row({ is: "service", session: own, service }));
    editor.answers.push("staging");
    await run("routeServiceTo", row({ is: "service", session: own, service }));
    expect(editor.shown[0]).toMatchObject({
      text: "Route web to…",
      items: ["local", "remote", "auto", "staging", "Another URL…", "Another session's copy…"],
    });
    editor.answers.push("Another URL…", "https://pr-12.example.com");
    await run("routeServiceTo", row({ is: "service", session: own, service }));
    editor.answers.push("Another session's copy…", "bold-cat");
    await run("routeServiceTo", row({ is: "service", session: own, service }));
    editor.answers.push("web", "auto");
    await run("routeServiceTo");
    await run("routeAllAuto");
    expect(asked).toEqual([
      'route {"name":"slim-gecko"} ["web"] "auto"',
      'route {"name":"slim-gecko"} ["web"] "staging"',
      'route {"name":"slim-gecko"} ["web"] "https://pr-12.example.com"',
      'route {"name":"slim-gecko"} ["web"] "session:bold-cat"',
      'route {"name":"slim-gecko"} ["web"] "auto"',
      'route {"name":"slim-gecko"} "all" "auto"',
    ]);
  });

  test("all selected services at once, but those of a preview", async () => {
    const api = { ...session.services[0]!, name: "api" };
    const preview = { ...session, name: "a1b2c3", kind: "preview" as const };
    const { asked, run } = openWindow(running);
    const rows = [
      row({ is: "service", session, service: session.services[0]! }),
      row({ is: "service", session, service: api }),
      row({ is: "service", session: preview, service: api }),
    ];
    await run("routeToLocal", rows[1], rows);
    expect(asked).toEqual(['route {"name":"slim-gecko"} ["web","api"] "local"']);
  });

  test("without a session it offers to start one", async () => {
    const { run } = openWindow({ configs: [CONFIG] });
    await run("routeAllLocal");
    await expect.poll(toasts).toEqual(["error: No session of this workspace is running."]);
    expect(editor.shown[0]!.items).toEqual(["Start"]);
  });
});

describe("sessions", () => {
  test("a preview takes the chosen services from other URLs", async () => {
    const preview = { ...session, name: "a1b2c3", urls: ["https://a1b2c3.example.com/"] };
    const { asked, run } = openWindow({ configs: [CONFIG] }, { create: preview });
    editor.answers.push(["web"], "https://web-pr-7.example.com", "", "Copy URL");
    await run("createPreview");
    expect(asked).toEqual([
      `create ${JSON.stringify({ configPath: file, kind: "preview", locations: { web: "https://web-pr-7.example.com" } })}`,
    ]);
    await expect.poll(() => editor.clipboard).toBe("https://a1b2c3.example.com/");
  });

  test("the input box refuses a host of the system and an invalid name", async () => {
    const { run, asked } = openWindow({ configs: [CONFIG] });
    for (const name of ["linkup", "Not A Name"]) {
      editor.answers.push(name);
      await run("createIsolated");
    }
    await expect
      .poll(() =>
        toasts().filter((text) => text.startsWith("error: Unexpected error: The input box refuses")),
      )
      .toHaveLength(2);
    expect(asked).toEqual([]);
  });

  test("a session that others use is stopped, restarted or deleted only after a question that names them", async () => {
    const { asked, run } = openWindow(running, { otherUsers: { windows: 1, terminals: 2 } });
    await run("stop");
    await run("restart");
    expect(asked).toEqual([]);
    expect(editor.shown[0]).toMatchObject({
      text: "Others are using the session slim-gecko. Stop it for them too?",
      detail: `One other window is using it.\n2 terminals or agents are using it.\n${file}`,
    });
    const elsewhere = row({ is: "session", session: { ...session, configPath: "/blog/linkup.yaml" } });
    await run("deleteSession", elsewhere);
    expect(editor.shown.at(-1)!.detail).toContain("It belongs to another workspace.");
    editor.answers.push("Stop");
    await run("stop");
    expect(asked).toEqual(['stop {"name":"slim-gecko"}']);
  });

  test("the preview's questions have a way back, and keep their answers", async () => {
    const { asked, run } = openWindow({ configs: [CONFIG] }, { create: session });
    const to = "https://web-pr-8.example.com";
    editor.answers.push(["web"], "https://web-pr-7.example.com", BACK, to, "");
    await run("createPreview");
    expect(asked).toEqual([
      `create ${JSON.stringify({ configPath: file, kind: "preview", locations: { web: to } })}`,
    ]);
    editor.answers.push(["web"], "http://localhost:3000");
    await run("createPreview");
    expect(editor.refused.at(-1)).toContain("which a preview cannot reach");
    expect(asked).toHaveLength(1);
  });

  test("a deletion asks first and states its consequences", async () => {
    const { asked, run } = openWindow(running, { look: { sessions: [session] } });
    const subject = { is: "session", session } as Row["subject"];
    await run("deleteSession", row(subject));
    expect(editor.shown[0]).toMatchObject({
      text: "Delete the session slim-gecko?",
      detail: "Its URLs stop working for everyone.",
    });
    expect(asked).toEqual([]);
    editor.answers.push("Delete");
    await run("deleteSession", row(subject));
    expect(asked).toEqual(['stop {"name":"slim-gecko"}']);
  });

  describe("the list", () => {
    const hours = (n: number) => n * 3_600_000;
    const onWorker = (session_name: string, more: object = {}) => ({
      session_name,
      session_kind: "preview",
      maker: "ci",
      created: Date.now() - hours(72),
      updated: 0,
      used: Date.now() - hours(3),
      expires: Date.now() + hours(24 * 7),
      ...more,
    });
    const answers = {
      look: { sessions: [session] },
      workerSessions: { sessions: [onWorker("shop-pr-12"), onWorker("slim-gecko", { maker: null })] },
      workerSession: { urls: ["https://shop-pr-12.example.com/"] },
      extend: { expires: Date.now() + hours(24) },
    };

    test("opens the one that is picked", async () => {
      const { run } = openWindow(running, answers);
      editor.answers.push("slim-gecko");
      await run("listSessions");
      expect(editor.opened).toEqual(["https://slim-gecko.example.com/"]);
    });

    test("shows the Worker's sessions too, each once, and opens one of somebody else", async () => {
      const { run } = openWindow(running, answers);
      editor.answers.push("shop-pr-12");
      await run("listSessions");
      expect(editor.shown[0]!.items).toEqual([
        "On this machine",
        "slim-gecko",
        "On the Worker",
        "shop-pr-12",
      ]);
      expect(editor.opened).toEqual(["https://shop-pr-12.example.com/"]);
    });

    test("extends and deletes, and is shown again afterwards", async () => {
      const { run, asked } = openWindow(running, answers);
      editor.answers.push("shop-pr-12 > Extend…", "1 d", "shop-pr-12 > Delete", "Delete");
      await run("listSessions");
      expect(asked).toContain(`extend "${file}" "shop-pr-12" 86400`);
      expect(asked).toContain(`remove "shop-pr-12" "${file}"`);
      expect(editor.statusMessages).toEqual(["shop-pr-12 expires in 24 h"]);
      expect(editor.shown.filter(({ text }) => text === "Sessions")).toHaveLength(3);
    });

    test("fetches further pages, and asks the Worker for what is typed", async () => {
      const pages = { ...answers, workerSessions: { sessions: [onWorker("a")], next: "a" } };
      const { run, asked } = openWindow(running, pages);
      editor.answers.push("More…", "?PR 12", undefined);
      await run("listSessions");
      expect(asked.filter((call) => call.startsWith("workerSessions"))).toEqual([
        `workerSessions "${file}" {"limit":200}`,
        `workerSessions "${file}" {"after":"a","limit":200}`,
        `workerSessions "${file}" {"pattern":"*pr12*","limit":200}`,
      ]);
    });

    test("without the Worker has the sessions of this machine, and says what is wrong when asked", async () => {
      const workerSessions = new LinkupError("worker-unreachable", "The Worker cannot be reached.");
      const { run } = openWindow(running, { ...answers, workerSessions });
      editor.answers.push("The Worker's sessions cannot be listed");
      await run("listSessions");
      expect(editor.shown[0]!.items).toEqual([
        "On this machine",
        "slim-gecko",
        "The Worker's sessions cannot be listed",
      ]);
      await expect.poll(() => toasts()[1]).toMatch(/^(error|warning): The Worker cannot be reached/);
    });
  });
});

describe("opening and copying", () => {
  test("the session, its URL, a service, and the file at its first error", async () => {
    const { run } = openWindow({
      ...running,
      configs: [{ ...CONFIG, errors: 1, firstError: { line: 3, column: 2 } }],
    });
    await run("openSession");
    await run("openService", row({ is: "service", session, service: session.services[0]! }));
    await run("copyUrl");
    await run("openConfig");
    expect(editor.opened).toEqual(["https://slim-gecko.example.com/", "https://web.example.com/"]);
    expect(editor.clipboard).toBe("https://slim-gecko.example.com/");
    expect(editor.shownDocuments).toEqual([file]);
  });

  test("a service's URL, and the places of a service and a URL in linkup.yaml", async () => {
    const { run } = openWindow(running);
    const service = row({ is: "service", session, service: session.services[0]! });
    await run("copyServiceUrl", service);
    expect(editor.clipboard).toBe("https://web.example.com");
    await run("revealInConfig", service);
    await run("revealInConfig", row({ is: "url", session, url: session.urls[0]! }));
    expect(editor.shownDocuments).toEqual([file, file]);
    expect(editor.selections).toEqual([3, 7]);
  });

  test("the menu runs what is picked", async () => {
    const { run, asked } = openWindow(running);
    editor.answers.push("$(debug-stop) Stop");
    await run("showMenu");
    expect(asked).toEqual(['stop {"name":"slim-gecko"}']);
  });

  test("a request is explained from the session, with headers", async () => {
    const explanation = {
      candidates: [],
      session: null,
      decision: null,
      public_host: null,
      failure: { code: "unknown-session", status: 422 },
    };
    const { run, asked } = openWindow(running, { explain: explanation });
    editor.answers.push("https://api.example.com/users", "Referer: https://slim-gecko.example.com/; X-A: b");
    await run("explainRequest");
    expect(asked).toEqual([
      'explain {"name":"slim-gecko"} "https://api.example.com/users" {"referer":"https://slim-gecko.example.com/","x-a":"b"}',
    ]);
    expect(editor.pages.map(({ title }) => title)).toEqual(["Linkup Explanation"]);
  });

  test("a request is explained from its path alone, with its service's location", async () => {
    const explanation = {
      candidates: [],
      session: "slim-gecko",
      decision: {
        outcome: "routed",
        service: { name: "web" },
        reason: "default",
        rewrites: [],
        origin: "https://web.example.com",
        target: "/users",
        gaveUp: [],
      },
    };
    const { run, asked } = openWindow(running, { explain: explanation });
    editor.answers.push("/users", "");
    await run("explainRequest");
    expect(asked).toEqual(['explain {"name":"slim-gecko"} "https://slim-gecko.example.com/users" {}']);
    expect(editor.pages[0]!.webview.html).toContain("## Service web · remote");
    editor.answers.push("users");
    await run("explainRequest");
    expect(editor.refused).toEqual(["This is neither a URL nor a path."]);
  });

  test("the logs of this window where there are no files", async () => {
    const { run, log } = openWindow();
    process.env.LINKUP_HOME = join(folder, "home");
    await run("showLogs");
    delete process.env.LINKUP_HOME;
    expect(log.shown).toBe(1);
  });
});

describe("the Worker's token", () => {
  test("goes into secret storage and confirms the Worker, and the session starts", async () => {
    const { run, secrets, asked } = openWindow({ configs: [CONFIG] });
    editor.answers.push(" s3cr3t-t0ken ", "Start");
    await run("setWorkerToken");
    expect([...secrets.values()]).toEqual(["s3cr3t-t0ken"]);
    expect([...secrets.keys()][0]).toContain("linkup.example.com");
    expect(asked).toEqual(['confirmWorker "https://linkup.example.com"', `start ${file} tunneled`]);
    expect(JSON.stringify(editor.shown)).not.toContain("s3cr3t-t0ken");
  });

  test("an empty one removes it", async () => {
    const { run, secrets } = openWindow({ configs: [CONFIG] });
    editor.answers.push("secret");
    await run("setWorkerToken");
    editor.answers.push("");
    await run("setWorkerToken");
    expect(secrets.size).toBe(0);
    expect(editor.statusMessages).toEqual(["Worker token removed"]);
  });
});

describe("local DNS", () => {
  test("is installed by a task whose arguments no shell reads", async () => {
    const evil = configFile(join(folder, "a$(touch X)", "linkup.yaml"));
    const { run } = openWindow({ configs: [evil] });
    await run("installLocalDns");
    expect(editor.terminals).toEqual([]);
    expect(editor.tasks).toMatchObject([
      {
        execution: {
          args: [expect.stringContaining("cli.js"), "local-dns", "install", "--config", evil.path],
        },
      },
    ]);
  });
});

describe("cloudflared", () => {
  test("is installed by the checked install where there is one, else by a command to read and run", async () => {
    openWindow();
    await installCloudflared("/extension", "linkup cloudflared install");
    expect(editor.tasks).toMatchObject([
      { execution: { args: [expect.any(String), "cloudflared", "install"] } },
    ]);
    await installCloudflared("/extension", "brew install cloudflared");
    expect(editor.terminals.map(({ sent }) => sent)).toEqual([["brew install cloudflared"]]);
    await installCloudflared("/extension", undefined);
    expect(editor.opened).toHaveLength(process.platform === "linux" ? 1 : 0);
  });
});

describe("Doctor", () => {
  test("shows its findings, and offers what helps", async () => {
    const check = {
      id: "processes",
      state: "broken",
      found: "Two are left.",
      subject: undefined,
      fixes: [{ command: "endOrphans", title: "End Processes" }],
    };
    const snapshot = { sessions: [], components: [], problems: [] };
    const report = {
      healthy: false,
      checks: [{ ...check, text: { template: "{0} are left.", args: ["Two"] } }],
      snapshot,
      versions: { linkup: "1", node: "24", platform: "linux" },
      home: "/h",
    };
    const { run, asked } = openWindow(running, { health: report, endOrphans: ["local-server (pid 7)"] });
    editor.commands.set("markdown.api.render", (text) => `<article>${text}</article>`);
    await run("doctor");
    await run("doctor");
    const [page, ...others] = editor.pages;
    expect(others).toEqual([]);
    expect(page!.title).toBe("Linkup Doctor");
    expect(page!.webview.html).toContain("[End Processes](command:linkup.endOrphans)");
    expect(page!.webview.html).toContain('href="command:linkup.doctor">Refresh</a>');
    const copy = /href="command:linkup\.copyDocument\?([^"]*)">Copy JSON/.exec(page!.webview.html)![1]!;
    await editor.commands.get("linkup.copyDocument")!(...JSON.parse(decodeURIComponent(copy)));
    expect(page!.webview.html).toContain("Two are left");
    expect(JSON.parse(editor.clipboard)).toEqual({ ...report, checks: [check] });
    await run("endOrphans");
    expect(asked).toContain("endOrphans");
    await expect.poll(toasts).toContain("information: Ended: local-server (pid 7)");
  });
});

describe("linkup.yaml", () => {
  test("a template is created and shown, never over a file that is there", async () => {
    const empty = mkdtempSync(join(folder, "empty-"));
    const { run } = openWindow({ configs: [configFile(join(empty, "linkup.yaml"))] });
    await run("createConfig");
    expect(readFileSync(join(empty, "linkup.yaml"), "utf8")).toContain("worker_url:");
    writeFileSync(join(empty, "linkup.yaml"), "mine");
    await run("createConfig");
    expect(readFileSync(join(empty, "linkup.yaml"), "utf8")).toBe("mine");
    expect(editor.shownDocuments).toHaveLength(2);
  });
});

describe("failures", () => {
  test("a problem is shown with its actions, and logged", async () => {
    const failure = new LinkupError("worker-unreachable", "The Worker at x cannot be reached.", [
      { command: "start", title: "Try Again" },
    ]);
    const { run, log } = openWindow(running, { stop: failure });
    await run("stop");
    await expect.poll(toasts).toEqual(["error: The Worker at x cannot be reached."]);
    expect(editor.shown[0]!.items).toEqual(["Try Again"]);
    expect(log.lines.join()).toContain("The Worker at x cannot be reached.");
  });

  test("an unexpected error shows the way to the log", async () => {
    const { run, log } = openWindow(running, { stop: new TypeError("boom") });
    editor.answers.push("Show Logs");
    await run("stop");
    await expect.poll(toasts).toContain("error: Unexpected error: boom");
    expect(log.lines).toEqual(["error: boom"]);
  });
});

describe("who can open a session", () => {
  const of = (access: "public" | "private", answers = {}) =>
    openWindow(
      { ...running, snapshot: { ...running.snapshot, sessions: [{ ...session, access }] } },
      answers,
    );
  const invite = {
    id: "3f9c",
    name: "Ana <b>",
    kind: "link" as const,
    rights: ["visit" as const],
    created: 0,
    expires: Date.now() + 172_800_000,
    uses: 1,
    used: 0,
    last_used: null,
  };
  const url = "https://slim-gecko.example.com/linkup/join#secret-of-the-invite";

  test("a public session is made private, and a link invites to it", async () => {
    const { run, asked } = of("public", { setAccess: {}, invite: { ...invite, url }, invites: [invite] });
    editor.answers.push("$(lock) Invite somebody", "12 h", " Ana ", "Once");
    await run("shareSession");
    expect(asked).toEqual([
      'setAccess {"name":"slim-gecko"} "private"',
      'invite {"name":"slim-gecko"} {"expires_in":43200,"uses":1,"name":"Ana"}',
      'invites {"name":"slim-gecko"}',
    ]);
    expect(editor.clipboard).toBe(url);
    const { html } = editor.pages.at(-1)!.webview;
    expect(html).toMatch(/<svg role="img" aria-label="QR code of the link" .*viewBox/);
    expect(html).toContain("linkup/join#secret-of-the-invite</code>");
    expect(html).toContain("Ana \\&lt;b\\&gt;");

    // The link is no part of what the page says later on.
    await editor.commands.get("linkup.revokeInvite")?.("slim-gecko", "3f9c");
    expect(asked.slice(3)).toEqual([
      'revokeInvite {"name":"slim-gecko"} "3f9c"',
      'invites {"name":"slim-gecko"}',
    ]);
    expect(editor.pages).toHaveLength(1);
    expect(editor.pages[0]!.webview.html).not.toContain("secret-of-the-invite");
  });

  test("a link lets a colleague route, and a public session stays public", async () => {
    const rights = ["visit" as const, "route" as const];
    const { run, asked } = of("public", {
      invite: { ...invite, rights, url },
      invites: [{ ...invite, rights }],
    });
    editor.answers.push("$(organization) Let a colleague route services", "7 d", " ", " Ana ");
    await run("shareSession");
    // Without a name nobody would see who did it.
    expect(editor.refused).toEqual(["Enter a name."]);
    expect(asked).toEqual([]);
    editor.answers.splice(0, 1);
    editor.answers.push("$(organization) Let a colleague route services", "7 d", "Ana");
    await run("shareSession");
    expect(asked).toEqual([
      'invite {"name":"slim-gecko"} {"expires_in":604800,"rights":["visit","route"],"name":"Ana"}',
      'invites {"name":"slim-gecko"}',
    ]);
    const { html } = editor.pages.at(-1)!.webview;
    expect(html).toContain("with Join Session…");
    expect(html).toContain("route services");
    expect(html).toContain("The session is public");
  });

  test("a private session becomes public when the user agrees, and its URL is shown", async () => {
    const { run, asked } = of("private", { setAccess: {} });
    editor.answers.push("$(globe) Everyone with the URL");
    await run("shareSession");
    expect(asked).toEqual([]);
    editor.answers.push("$(globe) Everyone with the URL", "Make Public");
    await run("shareSession");
    expect(asked).toEqual(['setAccess {"name":"slim-gecko"} "public"']);
    expect(editor.clipboard).toBe("https://slim-gecko.example.com/");
  });

  test("the tree's switch asks only before it lets everyone in", async () => {
    const { run, asked } = of("public", { setAccess: {} });
    await run("makePrivate");
    expect(toasts()).toEqual([]);
    expect(asked).toEqual(['setAccess {"name":"slim-gecko"} "private"']);
    const shown = of("private", { setAccess: {} });
    await shown.run("makePublic");
    expect(toasts()).toEqual([
      "warning: Make the session slim-gecko public? Everyone who knows its URL can open it then.",
    ]);
    expect(shown.asked).toEqual([]);
  });

  test("an isolated session cannot be shared, and in Restricted Mode no session can", async () => {
    const isolated = { ...session, kind: "isolated" as const };
    const { run, asked } = openWindow({
      ...running,
      snapshot: { ...running.snapshot, sessions: [isolated] },
    });
    await run("shareSession");
    await expect
      .poll(toasts)
      .toEqual([
        "error: The isolated session slim-gecko is on this machine only: nobody else can open it. Start one with a public URL to share it.",
      ]);
    editor.trusted = false;
    await run("makePrivate");
    expect(asked).toEqual([]);
  });

  test("the owner's browser opens a private session by a link that lets it in", async () => {
    const { run, asked } = of("private", { ownerUrl: url });
    await run("openSession");
    expect(asked).toEqual(['ownerUrl "https://slim-gecko.example.com/"']);
    expect(editor.opened).toEqual([url]);
  });

  test("from the list of sessions as well", async () => {
    const { run, asked } = of("private", {
      ownerUrl: url,
      look: { sessions: [session] },
      workerSessions: { sessions: [] },
    });
    editor.answers.push("slim-gecko");
    await run("listSessions");
    expect(asked).toContain('ownerUrl "https://slim-gecko.example.com/"');
    expect(editor.opened).toEqual([url]);
  });
});

describe("a wait of 400 ms has a word", () => {
  const component = { id: "tunnel", state: "ready", pid: 1, since: 0, detail: "", outdated: false } as const;
  const listed = { session_name: "pr-12", session_kind: "preview", created: 0, expires: 0 };
  const there = { look: { sessions: [session] }, workerSessions: { sessions: [listed] }, invite: {} };
  const service = row({ is: "service", session, service: session.services[0]! });
  const onTunnel = row({ is: "component", component });
  afterEach(() => void vi.useRealTimers());

  const PASSING = ["From the requests of the last minutes"];
  const SHARE = ["$(lock) Invite somebody", "2 d", "", "Once"];
  test.each<[string, Command, string, { given?: (string | string[])[]; row?: Row; private?: true }?]>([
    ["Checking the services' health", "showStatus", "refresh"],
    ["Linkup Doctor checks this machine", "doctor", "health"],
    ["Finding where the request goes", "explainRequest", "explain", { given: ["/users", ""] }],
    ["Stopping the session", "stop", "stop"],
    ["Restarting Tunnel", "restart", "restart", { row: onTunnel }],
    ["Ending orphaned processes", "endOrphans", "endOrphans"],
    ["Routing all services to local", "routeAllLocal", "route"],
    ["Routing web to local", "routeService", "route", { given: ["web"] }],
    ["Routing web to local", "toggleService", "route", { row: service }],
    ["Routing web to remote", "routeToRemote", "route", { row: service }],
    ["Routing all services to auto", "routeAllAuto", "route"],
    ["Routing web to auto", "routeServiceTo", "route", { row: service, given: ["auto"] }],
    ["Checking who passes the session on", "checkPropagation", "checkPropagation", { given: PASSING }],
    ["Creating the preview", "createPreview", "create", { given: [["web"], "https://pr.example.com", ""] }],
    ["Creating the session", "createIsolated", "create", { given: [""] }],
    ["Looking for sessions", "deleteSession", "look"],
    ["Stopping the session", "deleteSession", "stop", { given: ["slim-gecko", "Delete"] }],
    ["Looking for sessions", "listSessions", "workerSessions"],
    ["Reading pr-12 from the Worker", "listSessions", "workerSession", { given: ["pr-12"] }],
    ["Extending pr-12", "listSessions", "extend", { given: ["pr-12 > Extend…", "1 d"] }],
    ["Making slim-gecko private", "makePrivate", "setAccess"],
    ["Making slim-gecko public", "makePublic", "setAccess", { private: true, given: ["Make Public"] }],
    ["Creating the invite", "shareSession", "invite", { given: SHARE }],
    ["Reading the invites", "shareSession", "invites", { given: SHARE }],
    ["Giving your browser access", "openSession", "ownerUrl", { private: true }],
    ["Deleting pr-12", "listSessions", "remove", { given: ["pr-12 > Delete", "Delete"] }],
  ])("%s", async (title, command, method, { given = [], row: clicked, private: isPrivate } = {}) => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const { promise, reject } = Promise.withResolvers<never>();
    const shown = isPrivate ? { ...session, access: "private" as const } : session;
    const { run, asked } = openWindow(
      { ...running, snapshot: { ...running.snapshot, sessions: [shown] } },
      { ...there, [method]: promise },
    );
    editor.answers.push(...given);
    const done = run(command, clicked);
    while (!asked.some((call) => call.split(" ")[0] === method))
      await new Promise((resolve) => setImmediate(resolve));
    expect(editor.titles).toEqual([]);
    await vi.advanceTimersByTimeAsync(400);
    expect(editor.titles).toEqual([title]);
    reject(new LinkupError("worker-unreachable", "gone"));
    await done;
  });
});

test("every entry of the menu has the icon of its command, in every state", async () => {
  const icons = new Map(manifest.contributes.commands.map(({ command, icon }) => [command, icon]));
  for (const state of ["running", "failed", "starting", "stopping"] as const) {
    const { run } = openWindow({
      ...running,
      snapshot: { ...running.snapshot, sessions: [{ ...session, state }] },
    });
    await run("showMenu");
    const known = [...icons.values()];
    for (const label of editor.shown[0]!.items) expect(known).toContain(label.split(" ")[0]);
  }
});
