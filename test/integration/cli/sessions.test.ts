import { execFile } from "node:child_process";
import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { SessionView, Snapshot } from "../../../manager/model/snapshot.ts";
import type { WorkerSessionPage } from "../../../manager/operations/worker-sessions.ts";
import { until, World } from "../manager/world.ts";

let world: World;
beforeEach(async () => {
  world = await World.create();
});
afterEach(() => world[Symbol.asyncDispose]());

const list = () => world.json<SessionView[]>("sessions", "list");
const location = (copy: string) => world.location(copy);

describe("a preview", () => {
  test("lives on the Worker only, with services at the given URLs", async () => {
    const preview = await world.json<SessionView>(
      "sessions",
      "create-preview",
      `web=${location("local api")}`,
    );
    expect(preview).toMatchObject({ kind: "preview", state: "running" });
    expect(preview.name).toMatch(/^[0-9a-f]{6}$/);
    expect(preview.urls).toEqual([`http://${preview.name}.shop.localhost:${world.workerPort}/`]);
    expect(await world.served(preview.name!)).toBe("local api");
    expect(await world.served(preview.name!, "/api/x")).toBe("remote api");
    expect([...world.processes().values()]).toEqual([]);

    expect((await world.linkup("sessions", "delete", preview.name!)).stdout).toBe(
      `Deleted ${preview.name}\n`,
    );
    expect(await world.served(preview.name!)).toMatch(/^422 /);
    expect(await list()).toEqual([]);
  });

  test("of the same content has the same name", async () => {
    const create = () => world.json<SessionView>("preview", `web=${location("local web")}`);
    const [first, second] = [await create(), await create()];
    expect(second.name).toBe(first.name);
    expect(await list()).toHaveLength(1);
  });

  test("can have a name, and change", async () => {
    await world.json("sessions", "create-preview", "pr-12", `web=${location("local web")}`);
    expect(await world.served("pr-12")).toBe("local web");
    await world.json("sessions", "create-preview", "--name", "pr-12", `web=${location("local api")}`);
    expect(await world.served("pr-12")).toBe("local api");
    expect((await list()).map(({ name }) => name)).toEqual(["pr-12"]);
  });

  test("ends when its user said, and is neither renewed nor made again", async () => {
    const { stderr } = await world.linkup(
      ...["sessions", "create-preview", "--expires", "7d", "--name", "PR_13", `web=${location("local web")}`],
    );
    expect(stderr).toContain("The session's name is pr-13.");
    const onWorker = async () =>
      (await world.json<WorkerSessionPage>("sessions", "list", "--worker")).sessions;
    const [session, ...others] = await onWorker();
    expect(others).toEqual([]);
    expect(session).toMatchObject({ session_name: "pr-13", session_kind: "preview", maker: null });
    const days = (time: number) => (time - Date.now()) / 86_400_000;
    expect(days(session!.expires)).toBeGreaterThan(6.99);
    expect(days(session!.expires)).toBeLessThan(7.01);

    const extended = await world.json<{ expires: number }>("sessions", "extend", "pr-13", "--expires", "2w");
    expect(days(extended.expires)).toBeGreaterThan(13.99);
    expect((await onWorker())[0]!.expires).toBe(extended.expires);
    expect((await world.linkup("sessions", "list", "--worker")).stdout).toMatch(
      /^pr-13 +preview +main token +0 min ago +0 min ago +in 14 d$/m,
    );

    // Once more, as each push of a pull request does it.
    await world.json("preview", "--expires", "2s", "--name", "pr_13", `web=${location("local api")}`);
    expect(await world.served("pr-13")).toBe("local api");
    await until("the end of the preview", async () => (await world.served("pr-13")).startsWith("422 "));
    expect(await list()).toEqual([]);
    expect(await onWorker()).toEqual([]);
  });

  test("the Worker's sessions come in pages, and by pattern", async () => {
    for (const name of ["pr-1", "pr-2", "other"])
      await world.json("preview", "--name", name, `web=${location("local web")}`);
    const page = (...more: string[]) =>
      world.json<WorkerSessionPage>("sessions", "list", "--worker", ...more);
    const names = ({ sessions, next }: WorkerSessionPage) => [
      ...sessions.map(({ session_name }) => session_name),
      `next: ${next}`,
    ];
    expect(names(await page("--limit", "2"))).toEqual(["other", "pr-1", "next: pr-1"]);
    expect(names(await page("--limit", "2", "--after", "pr-1"))).toEqual(["pr-2", "next: undefined"]);
    expect(names(await page("--name", "pr-*"))).toEqual(["pr-1", "pr-2", "next: undefined"]);
  });

  test("is printed instead of sent", async () => {
    const request = await world.json("preview", "web=http://web-pr.example.com", "--print-request");
    expect(request).toMatchObject({
      services: [{ name: "web", location: "http://web-pr.example.com" }, { name: "api" }],
      domains: [{ domain: "shop.localhost" }],
    });
    expect(request).not.toHaveProperty("session_token");
    expect(await list()).toEqual([]);
  });

  test("does not affect the file's own session", async () => {
    const { session_name: own } = await world.json<{ session_name: string }>("start", "--detach");
    const { name: preview } = await world.json<SessionView>("preview", `web=${location("local api")}`);
    expect((await list()).map(({ kind }) => kind)).toEqual(["tunneled", "preview"]);
    await world.linkup("route", "local", "web");
    expect(await world.served(own)).toBe("local web");
    expect(await world.served(preview!)).toBe("local api");
    await world.linkup("stop");
    expect(await world.served(preview!)).toBe("local api");
    expect([...world.processes().values()]).toEqual([]);
  });

  test("created on another machine is deleted by name or pattern", async () => {
    for (const name of ["pr-1", "pr-2", "other"])
      await world.json("preview", "--name", name, `web=${location("local web")}`);
    world.env.LINKUP_HOME = join(world.folder, "another-home");
    expect(await world.json("sessions", "delete", "pr-*")).toEqual({ deleted: ["pr-1", "pr-2"] });
    expect(await world.served("pr-1")).toMatch(/^422 /);
    expect(await world.json("sessions", "delete", "other")).toEqual({ deleted: ["other"] });
    expect((await world.linkup("sessions", "delete", "other")).code).toBe(5);
  });

  test.each([
    [
      "an unknown service",
      ["nope=http://a.example"],
      5,
      'This session has no service "nope". Its services: web, api.',
    ],
    ["no URL", ["web=nowhere"], 2, 'must be an http or https URL, not "nowhere"'],
    ["no location", ["pr-1", "web"], 2, "A service needs its URL"],
    ["a name of which nothing is left", ["--name", "__", "web=http://a.example"], 2, '"__" has no character'],
    ["no time", ["--expires", "soon", "web=http://a.example"], 2, "--expires takes a time such as 12h"],
    ["a location on this machine", ["web=http://localhost:3000"], 4, "is on this machine"],
  ])("with %s is refused", async (_, words, code, said) => {
    expect(await world.linkup("preview", ...words)).toMatchObject({
      code,
      stderr: expect.stringContaining(said),
    });
    expect(await list()).toEqual([]);
  });

  test("cannot be routed to this machine", async () => {
    await world.json("preview", "--name", "pr-1", `web=${location("local web")}`);
    const { code, stderr } = await world.linkup("route", "local", "web", "--session", "pr-1");
    expect(code).toBe(1);
    expect(stderr).toContain("pr-1 is a preview, which has no copies on this machine");
  });
});

test("isolated sessions run beside the file's own session", async () => {
  const { session_name: own } = await world.json<{ session_name: string }>("start", "--detach");
  const isolated = await world.json<SessionView>(
    "sessions",
    "create-isolated",
    "mine",
    `web=${location("local api")}`,
  );
  const port = Number(new URL(isolated.urls[0]!).port);
  const served = async (path: string) => (await world.ask("mine.shop.localhost", path, port)).body;
  expect(await served("/")).toBe("local api");
  expect(await served("/api/x")).toBe("remote api");
  await world.linkup("route", "local", "api", "--session", "mine");
  expect(await served("/api/x")).toBe("local api");
  expect(await world.served(own, "/api/x")).toBe("remote api");

  // The file's own session is deleted on purpose only.
  expect(await world.linkup("sessions", "delete", own)).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("use --yes"),
  });
  expect((await list()).map(({ name }) => name)).toContain(own);
  await world.linkup("sessions", "delete", "mine");
  expect((await list()).map(({ name }) => name)).toEqual([own]);
  expect((await world.ask("mine.shop.localhost", "/", port)).status).toBe(422);
  expect(await world.json("sessions", "delete", own, "--yes")).toEqual({ deleted: [own] });
  expect(await list()).toEqual([]);
});

test("changes of the file reach its secondary sessions, which keep their URLs", async () => {
  await world.json("sessions", "create-isolated", "mine", `web=${location("local api")}`);
  world.writeConfig(world.configPath, { more: "  - domain: more.localhost\n    default_service: web\n" });
  const again = await world.json<SessionView>(
    "sessions",
    "create-isolated",
    "mine",
    `web=${location("local api")}`,
  );
  expect(again.urls).toHaveLength(2);
  const { host, port } = new URL(again.urls[1]!);
  expect((await world.ask(host.replace(/:.*/, ""), "/", Number(port))).body).toBe("local api");
});

describe("the state of the existing Linkup", () => {
  const service = (name: string, current: string) => `{ name: ${name}, current: ${current} }`;
  const services = `[${service("web", "Local")}, ${service("api", "Remote")}, ${service("gone", "Local")}]`;
  const start = async () => {
    const { code, stdout, stderr } = await world.linkup("start", "--detach", "--json");
    expect(code, stderr).toBe(0);
    return { stderr, ...(JSON.parse(stdout) as { session_name: string; services: { target: string }[] }) };
  };

  test.each([
    [
      "version 4",
      (path: string) =>
        `worker_url: http://w\nmain_session: keen-otter\nsessions:\n  keen-otter: { token: t0k3n, config_path: "${path}", services: ${services} }\n`,
    ],
    [
      "version 3",
      (path: string) =>
        `linkup: { session_name: keen-otter, session_token: t0k3n, config_path: "${path}" }\nservices: ${services}\n`,
    ],
  ])("of %s: the first start continues its session, and says so", async (_, state) => {
    mkdirSync(world.home);
    writeFileSync(join(world.home, "state"), state(world.configPath));
    const started = await start();
    expect(started.session_name).toBe("keen-otter");
    expect(started.services.map(({ target }) => target)).toEqual(["local", "remote"]);
    expect(started.stderr).toContain("Continuing the session keen-otter");
    expect((await start()).stderr).toBe("");
  });

  test.each([
    ["of another file", 'linkup: { session_name: keen-otter, session_token: t, config_path: "/other.yaml" }'],
    ["that is not YAML", ": [\0"],
    ["with another shape", "[1, 2]"],
  ])("%s is left alone", async (_, state) => {
    mkdirSync(world.home);
    writeFileSync(join(world.home, "state"), state);
    const { session_name, stderr } = await start();
    expect(session_name).not.toBe("keen-otter");
    expect(stderr).toBe("");
    expect(readFileSync(join(world.home, "state"), "utf8")).toBe(state);
  });
});

describe("an unguessable name", () => {
  const start = (...args: string[]) =>
    world.json<{ session_name: string }>("start", "--detach", "--access", "unguessable", ...args);

  test("is kept over restarts, and deletable", async () => {
    const { session_name: name } = await start("--name", "mine");
    expect(name).toMatch(/^mine-[a-z0-9]{10}$/);
    expect((await start("--name", "mine")).session_name).toBe(name);
    await world.linkup("stop");
    expect((await start()).session_name).toBe(name);
    expect(await world.served(name)).toBe("remote web");
  });

  test("comes from linkup.yaml, too, for previews as well", async () => {
    const text = readFileSync(world.configPath, "utf8");
    writeFileSync(world.configPath, text.replace("services:", "  access: unguessable\nservices:"));
    const { session_name: name } = await world.json<{ session_name: string }>("start", "--detach");
    expect(name).toMatch(/^[a-z]+-[a-z]+-[a-z0-9]{10}$/);
    const preview = await world.json<SessionView>("preview", `web=${location("local web")}`);
    expect(preview.name).toMatch(/-[a-z0-9]{10}$/);
    expect(await world.served(preview.name!)).toBe("local web");
  });
});

describe("completion", () => {
  const complete = async (...words: string[]) =>
    (await world.linkup("complete", "--", ...words)).stdout.trimEnd().split("\n");

  test.each([
    [["st"], ["start", "stop", "status"]],
    [
      ["sessions", ""],
      ["list", "create-preview", "create-isolated", "extend", "delete"],
    ],
    [
      ["route", ""],
      ["local", "remote"],
    ],
    [["route", "local", "w"], ["web"]],
    [["start", "--d"], ["--detach"]],
    [["preview", "a"], ["api="]],
  ])("%j", async (words, expected) => expect(await complete(...words)).toEqual(expected));

  test("a session's name", async () => {
    const { session_name: name } = await world.json<{ session_name: string }>("start", "--detach");
    expect(await complete("stop", "--session", "")).toEqual([name]);
  });

  test.runIf(existsSync("/bin/bash"))(
    "bash takes candidates as text and evaluates nothing in them",
    async () => {
      const name = "$(touch${IFS}carried-out)*";
      const text = readFileSync(world.configPath, "utf8");
      writeFileSync(
        world.configPath,
        text.replace("- name: api", `- name: "${name}"`).replace("service: api", "service: web"),
      );
      expect(await complete("route", "local", "")).toEqual(["web", name]);
      const bin = join(world.folder, "bin");
      mkdirSync(bin);
      writeFileSync(
        join(bin, "linkup"),
        `#!/bin/sh\nexec "${process.execPath}" "${join(world.dist, "cli.js")}" "$@"\n`,
        { mode: 0o755 },
      );
      const script = `source <(linkup completion bash)
for words in "route local " "sta" "sessions create-preview w"; do
  COMP_WORDS=(linkup $words)
  case "$words" in *" ") COMP_WORDS+=("") ;; esac
  COMP_CWORD=$((\${#COMP_WORDS[@]} - 1))
  _linkup
  eval "printf '%s\\n' \${COMPREPLY[*]}"
done`;
      const { stdout } = await promisify(execFile)("/bin/bash", ["-c", script], {
        cwd: world.folder,
        env: { ...world.env, PATH: `${bin}:${world.env.PATH}` },
      });
      expect(stdout.split("\n")).toEqual(["web", name, "start", "status", "web=", ""]);
      expect(existsSync(join(world.folder, "carried-out"))).toBe(false);
    },
  );

  test.runIf(existsSync("/bin/zsh"))(
    "zsh completes at the first request, sourced and from a folder of fpath",
    async () => {
      const { stdout: script } = await world.linkup("completion", "zsh");
      writeFileSync(join(world.folder, "_linkup"), script);
      // Outside of a terminal zsh has no completion: what it would be told is printed.
      const ask = async (load: string) => {
        const text = `linkup() { [[ $1 == complete ]] && print -l start status; }
compadd() { print -l -- "\${words_[@]}"; }
compdef() { print -- "compdef $1 $2"; }
words=(linkup sta); CURRENT=2
${load}`;
        return (await promisify(execFile)("/bin/zsh", ["-fc", text], { cwd: world.folder, env: world.env }))
          .stdout;
      };
      expect(await ask("fpath=($PWD $fpath); autoload -Uz _linkup; _linkup; _linkup")).toBe(
        "start\nstatus\nstart\nstatus\n",
      );
      expect(await ask("source ./_linkup; _linkup")).toBe("compdef _linkup linkup\nstart\nstatus\n");
    },
  );

  test("scripts for the shells", async () => {
    for (const shell of ["bash", "zsh", "fish", "elvish", "powershell"]) {
      const { stdout } = await world.linkup("completion", shell);
      expect(stdout).toMatch(/linkup complete '?--/);
      world.env.SHELL = shell === "powershell" ? "/usr/bin/pwsh" : `/usr/bin/${shell}`;
      expect((await world.linkup("completion")).stdout).toBe(stdout);
      expect((await world.linkup("completion", "--shell", shell)).stdout).toBe(stdout);
    }
    expect((await world.linkup("completion", "csh")).code).toBe(2);
    world.env.SHELL = undefined;
    expect((await world.linkup("completion")).code).toBe(2);
  });
});

describe("the rest of the command line", () => {
  test("--help lists the commands", async () => {
    const { code, stdout, stderr } = await world.linkup("--help");
    expect(code).toBe(0);
    expect(stderr).toBe("");
    for (const command of [
      "start",
      "stop",
      "status",
      "route",
      "sessions",
      "health",
      "explain",
      "logs",
      "init",
    ]) {
      expect(stdout).toMatch(new RegExp(`^  ${command}`, "m"));
    }
    expect(stdout).not.toContain("\x1b");
    expect(await world.linkup("nonsense")).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("unknown command"),
    });
  });

  test.each([
    ["before the command", ["--config", "nowhere.yaml", "health"]],
    ["behind it", ["health", "-c", "nowhere.yaml"]],
    ["between a command and its own command", ["sessions", "-c", "nowhere.yaml", "create-preview"]],
  ])("--config counts %s", async (_where, args) => {
    const { stderr, stdout } = await world.linkup(...args);
    expect(stdout + stderr).toMatch(/--config names .*nowhere\.yaml, which does not exist/);
  });

  test("init creates a linkup.yaml and does not overwrite it", async () => {
    const path = join(world.folder, "new.yaml");
    expect((await world.linkup("init", path)).code).toBe(0);
    expect((await world.linkup("health", "--config", path, "--json")).stdout).toContain(
      "2 services, 1 domains",
    );
    expect(await world.linkup("init", path)).toMatchObject({
      code: 3,
      stderr: expect.stringContaining("was not changed"),
    });
  });

  test("init says why it cannot write the file", async () => {
    const path = join(world.folder, "nowhere", "linkup.yaml");
    const { code, stderr } = await world.linkup("init", path);
    expect(code).toBe(3);
    expect(stderr).toBe(
      `linkup.yaml could not be created: Cannot write ${path}: the folder ${join(world.folder, "nowhere")} does not exist.\n`,
    );
  });

  test("init fills in the services that it finds", async () => {
    const folder = join(world.folder, "shop");
    mkdirSync(join(folder, "cart"), { recursive: true });
    writeFileSync(join(folder, "Procfile"), "web: next dev -p 3010\n");
    writeFileSync(join(folder, "cart", ".env"), "PORT=3011\n");
    const path = join(folder, "linkup.yaml");
    expect(await world.json("init", path)).toEqual({
      created: path,
      services: [
        { name: "web", local: "http://localhost:3010", foundIn: "Procfile" },
        { name: "cart", local: "http://localhost:3011", directory: "./cart", foundIn: "cart/.env" },
      ],
    });
    expect((await world.linkup("health", "--config", path, "--json")).stdout).toContain(
      "2 services, 1 domains",
    );
    rmSync(path);
    expect((await world.linkup("init", path)).stdout).toContain(
      "  cart at http://localhost:3011 (cart/.env)\n",
    );
  });

  test("logs prints the logs of the processes", async () => {
    await world.json("start", "--detach");
    expect((await world.linkup("logs", "local-server")).stdout).toContain("tunnel port");
    expect((await world.linkup("logs", "nothing")).code).toBe(2);
    writeFileSync(join(world.home, "logs", "keeper.log"), "kept\n");
    const lines = await world.json<{ component: string; text: string }[]>("logs");
    expect(new Set(lines.map(({ component }) => component))).toEqual(new Set(["local-server", "keeper"]));
    expect(await world.json("logs", "local-server")).toEqual(
      lines.filter(({ component }) => component === "local-server"),
    );
  });

  test("logs --follow prints whole lines as they come", async () => {
    await world.json("start", "--detach");
    const log = join(world.home, "logs", "cloudflared-slim-gecko.log");
    writeFileSync(log, `${"x".repeat(40_000)}\none\n`);
    const { child, output } = world.spawnLinkup("logs", "tunnel", "--follow", "--json");
    const about = '{"component":"tunnel","session":"slim-gecko","text":';
    await until("the first line", () => output.stdout === `${about}"one"}\n`);
    appendFileSync(log, "tw");
    appendFileSync(log, "o\nthree\n");
    await until("the next lines", () => output.stdout.endsWith(`${about}"two"}\n${about}"three"}\n`));
    rmSync(log);
    writeFileSync(log, "4\n");
    await until("the new file", () => output.stdout.endsWith(`${about}"4"}\n`));
    child.kill();
  });

  test("uninstall leaves nothing of ours", async () => {
    await world.json("start", "--detach");
    writeFileSync(join(world.home, "mine.txt"), "");
    expect((await world.linkup("uninstall")).code).toBe(2);
    expect(await world.json("uninstall", "--yes")).toMatchObject({ left: ["mine.txt"] });
    expect([...world.processes().values()]).toEqual([]);
    expect((await world.json<Snapshot>("status")).sessions).toEqual([]);
  });
});
