/** The built action with the environment that GitHub gives it, against the Worker on workerd and a stand-in of GitHub's API. */
import { execFile, execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { dist } from "../../support/bundles.ts";
import { answerSeen, Internet } from "../worker/internet.ts";
import { type Api, apiOf, send, type startWorker } from "../worker/world.ts";
import { GitHubStandIn } from "./github.ts";

const root = resolve(import.meta.dirname, "../../..");
const LINKUP_YAML = `linkup:
  worker_url: https://worker.of.the.pull.request.example
services:
  - name: web
    remote: https://web.example.org
    local: http://localhost:3000
  - name: api
    remote: https://api.example.org
    local: http://localhost:3001
domains:
  - domain: example.com
    default_service: web
    routes:
      - path: ^/api/
        service: api
  - domain: docs.example.net
    default_service: web
`;

let folder: string;
let internet: Internet;
let worker: Awaited<ReturnType<typeof startWorker>>;
let github: GitHubStandIn;
let api: Api;
/** A named token of the Worker. */
let token: string;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "linkup-action-"));
  mkdirSync(join(folder, "repository"));
  writeFileSync(join(folder, "repository/linkup.yaml"), LINKUP_YAML);
  internet = await new Internet().start();
  for (const host of ["web.example.org", "api.example.org", "web-pr-12.example.org", "web-2.example.org"])
    internet.hosts.set(host, answerSeen(host));
  worker = await internet.startWorker();
  github = await new GitHubStandIn().start();
  api = apiOf(worker.url);
  token = String((await api("POST", "/linkup/v2/tokens", { name: "ci" })).json().token);
});
afterEach(async () => {
  await Promise.all([worker.stop(), github.stop()]);
  await internet.stop();
  rmSync(folder, { recursive: true });
});

interface Run {
  code: number;
  /** What the log shows. */
  log: string;
  outputs: Record<string, string>;
}

/** The payload of a pull request's event, with what its author may write. */
function pullRequest(action: string, { fork = false, more = {} } = {}) {
  const head = {
    ref: "$(touch pwned)`::set-output name=url::evil`",
    repo: { full_name: fork ? "mallory/shop" : "acme/shop" },
  };
  return {
    action,
    number: 12,
    repository: { name: "shop", full_name: "acme/shop" },
    pull_request: {
      number: 12,
      state: action === "closed" ? "closed" : "open",
      title: "::error::<script>",
      body: "<!-- linkup-preview: shop-pr-12 -->",
      head,
      ...more,
    },
  };
}

async function run(
  event: object,
  inputs: Record<string, string> = {},
  { bundle, kind = "pull_request" }: { bundle?: string; kind?: string } = {},
): Promise<Run> {
  const eventFile = join(folder, "event.json");
  const outputFile = join(folder, "output");
  writeFileSync(eventFile, JSON.stringify(event));
  writeFileSync(outputFile, "");
  // As action.yml says, whose defaults GitHub fills in.
  const described = parse(readFileSync(join(root, "action.yml"), "utf8")) as {
    inputs: Record<string, { default?: string }>;
    runs: { using: string; main: string };
  };
  const given: Record<string, string> = {
    services: "web=https://web-pr-12.example.org",
    "worker-url": worker.url,
    "worker-token": token,
    ...inputs,
  };
  for (const name of Object.keys(given)) expect(described.inputs).toHaveProperty(name);
  const env: NodeJS.ProcessEnv = {
    PATH: process.env.PATH,
    GITHUB_ACTIONS: "true",
    GITHUB_EVENT_NAME: kind,
    GITHUB_EVENT_PATH: eventFile,
    GITHUB_OUTPUT: outputFile,
    GITHUB_API_URL: github.url,
    GITHUB_REPOSITORY: "acme/shop",
    GITHUB_WORKSPACE: join(folder, "repository"),
  };
  for (const [name, { default: fallback = "" }] of Object.entries(described.inputs))
    env[`INPUT_${name.toUpperCase()}`] =
      given[name] ?? fallback.replaceAll("${{ github.token }}", github.token);
  const main = bundle ?? join(await dist(), described.runs.main.replace("dist/", ""));
  const { code, log } = await new Promise<{ code: number; log: string }>((done) =>
    execFile(process.execPath, [main], { cwd: folder, env }, (error, stdout, stderr) =>
      done({ code: error ? Number(error.code) : 0, log: stdout + stderr }),
    ),
  );
  const outputs: Record<string, string> = {};
  for (const [, name = "", , value = ""] of readFileSync(outputFile, "utf8").matchAll(
    /^(.+)<<(.+)\n([\s\S]*?)\n\2$/gm,
  ))
    outputs[name] = value;
  // The runner hides what stands in add-mask, and nothing else.
  for (const secret of [token, github.token])
    expect(log.replaceAll(`::add-mask::${secret}\n`, "")).not.toContain(secret);
  for (const line of log.split("\n").filter(Boolean))
    expect(line).toMatch(/^::(add-mask|notice|warning|error)::/);
  return { code, log, outputs };
}

const served = async (host: string, path = "/") => {
  const answer = await send(worker.url, path, { headers: { host } });
  return answer.status === 200 ? (JSON.parse(answer.body).service as string) : String(answer.status);
};
const session = async (name: string) => (await api("GET", `/linkup/v2/sessions/${name}`)).json();

describe("a pull request's whole life", () => {
  test("opened, pushed, closed, reopened: one preview, one comment", async () => {
    const opened = await run(pullRequest("opened"));
    expect(opened).toMatchObject({
      code: 0,
      outputs: {
        name: "shop-pr-12",
        url: "https://shop-pr-12.example.com/",
        urls: '["https://shop-pr-12.example.com/","https://shop-pr-12.docs.example.net/"]',
      },
    });
    expect(Date.parse(opened.outputs.expires!) / 86_400_000).toBeCloseTo(Date.now() / 86_400_000 + 7, 2);
    expect(await served("shop-pr-12.example.com")).toBe("web-pr-12.example.org");
    expect(await served("shop-pr-12.example.com", "/api/x")).toBe("api.example.org");
    expect(await session("shop-pr-12")).toMatchObject({ maker: "ci", session_kind: "preview" });
    const [comment] = github.comments;
    expect(comment!.body.split("\n")).toEqual([
      "<!-- linkup-preview: shop-pr-12 -->",
      "**Preview** `shop-pr-12`",
      "",
      "- https://shop-pr-12.example.com/",
      "- https://shop-pr-12.docs.example.net/",
      "",
      "| service | from |",
      "|---|---|",
      "| `web` | `https://web-pr-12.example.org` |",
      "",
      expect.stringMatching(
        /^All other services are the deployed ones\. It ends \d{4}-\d\d-\d\d \d\d:\d\d UTC, /,
      ),
    ]);

    const pushed = await run(pullRequest("synchronize"), {
      services: "web=https://web-2.example.org\napi=https://web-pr-12.example.org",
    });
    expect(pushed.outputs.name).toBe("shop-pr-12");
    expect(await served("shop-pr-12.example.com")).toBe("web-2.example.org");
    expect(await served("shop-pr-12.example.com", "/api/x")).toBe("web-pr-12.example.org");
    expect(github.comments).toEqual([comment]);
    expect(comment!.body).toContain("| `api` | `https://web-pr-12.example.org` |");

    github.state = "closed";
    expect((await run(pullRequest("closed"))).log).toContain("::notice::Removed the preview shop-pr-12.");
    expect(await served("shop-pr-12.example.com")).toBe("422");
    expect(comment!.body).toBe("<!-- linkup-preview: shop-pr-12 -->\n**Preview** `shop-pr-12` was removed.");
    expect(await run(pullRequest("closed"))).toMatchObject({ code: 0 });

    github.state = "open";
    await run(pullRequest("reopened"));
    expect(await served("shop-pr-12.example.com")).toBe("web-pr-12.example.org");
    expect(github.comments).toHaveLength(1);
  });

  test("a run that ends after the pull request was closed leaves no preview", async () => {
    github.state = "closed";
    expect((await run(pullRequest("synchronize"))).log).toContain("was closed meanwhile");
    expect(await served("shop-pr-12.example.com")).toBe("422");
    expect(github.comments).toEqual([]);
  });

  test("with an unguessable name each push changes the same preview, and its end removes it", async () => {
    writeFileSync(
      join(folder, "repository/linkup.yaml"),
      LINKUP_YAML.replace("services:", "  access: unguessable\nservices:"),
    );
    const { outputs } = await run(pullRequest("opened"));
    expect(outputs.name).toMatch(/^shop-pr-12-[a-z0-9]{10}$/);
    expect((await run(pullRequest("synchronize"))).outputs.name).toBe(outputs.name);
    expect(github.comments).toHaveLength(1);
    await run(pullRequest("closed"));
    expect((await api("GET", "/linkup/v2/sessions")).json()).toEqual({ sessions: [] });
  });

  test("inputs: another name, expiry, file, and no comment", async () => {
    mkdirSync(join(folder, "repository/deploy"));
    cpSync(join(folder, "repository/linkup.yaml"), join(folder, "repository/deploy/edge.yaml"));
    rmSync(join(folder, "repository/linkup.yaml"));
    const inputs = { name: "Review_12", expires: "2h", config: "deploy/edge.yaml", comment: "false" };
    const { outputs } = await run(pullRequest("opened"), inputs);
    expect(outputs.name).toBe("review-12");
    const expires = Number((await session("review-12")).expires);
    expect(expires - Date.now()).toBeGreaterThan(7_100_000);
    expect(expires - Date.now()).toBeLessThan(7_210_000);
    expect(github.comments).toEqual([]);
  });
});

describe("a hostile pull request", () => {
  test("of a fork gets no secrets: no preview, no failure", async () => {
    const result = await run(pullRequest("opened", { fork: true }), { "worker-token": "" });
    expect(result).toMatchObject({ code: 0, outputs: {} });
    expect(result.log).toContain("pull requests of forks get no secrets");
    expect((await api("GET", "/linkup/v2/sessions")).json()).toEqual({ sessions: [] });
    expect(github.calls).toEqual([]);
    // A missing secret in one's own repository is a mistake.
    expect((await run(pullRequest("opened"), { "worker-token": "" })).code).toBe(1);
  });

  test("cannot send the token to a Worker of its own", async () => {
    // The file names one: only the input counts.
    await run(pullRequest("opened", { fork: true }), {}, { kind: "pull_request_target" });
    expect(await served("shop-pr-12.example.com")).toBe("web-pr-12.example.org");
    const { code, log } = await run(pullRequest("opened"), { "worker-url": "http://worker.example.com" });
    expect([code, log]).toEqual([1, expect.stringContaining("worker-url: must be an https URL")]);
  });

  test.each([
    ["on this machine", "web=http://localhost:3000"],
    ["in a private network", "web=http://10.0.0.1"],
    ["of another scheme", "web=javascript:alert(1)"],
    ["of an unknown service", "nope=https://web-pr-12.example.org"],
    ["without a service", "https://web-pr-12.example.org"],
    ["given twice", "web=https://a.example web=https://b.example"],
  ])("cannot have a service %s", async (_, services) => {
    const { code, log } = await run(pullRequest("opened"), { services });
    expect([code, log]).toEqual([1, expect.stringContaining("::error::")]);
    expect((await api("GET", "/linkup/v2/sessions")).json()).toEqual({ sessions: [] });
    expect(github.comments).toEqual([]);
  });

  test("whose branch stands in a URL writes no Markdown, no mention and no workflow command", async () => {
    const url = "https://web-pr-12.example.org/a`|<img>@acme/admins%0A::error::x";
    const { code } = await run(pullRequest("opened"), { services: `web=${url}` });
    expect(code).toBe(0);
    const row = github.comments[0]!.body.split("\n").find((line) => line.startsWith("| `web`"));
    expect(row).toBe("| `web` | `https://web-pr-12.example.org/a%60%7C<img>@acme/admins%0A::error::x` |");
  });

  test("cannot lead to a file outside of the repository", async () => {
    writeFileSync(join(folder, "secret"), "secret: text-of-the-runner");
    rmSync(join(folder, "repository/linkup.yaml"));
    symlinkSync(join(folder, "secret"), join(folder, "repository/linkup.yaml"));
    const { code, log } = await run(pullRequest("opened"));
    expect([code, log]).toEqual([1, expect.stringContaining("linkup.yaml is not in the repository")]);
    expect(log).not.toContain("text-of-the-runner");
  });

  test("cannot make the action edit a comment of somebody else", async () => {
    for (let n = 0; n < 120; n++) github.add(`comment ${n}`, "colleague", "User");
    github.add("<!-- linkup-preview: shop-pr-12 -->\nhttps://evil.example", "mallory", "User");
    await run(pullRequest("opened"));
    await run(pullRequest("synchronize"));
    expect(github.comments).toHaveLength(122);
    expect(github.comments[120]!.body).toContain("https://evil.example");
    expect(github.comments[121]!.body).toContain("https://shop-pr-12.example.com/");
  });
});

describe("what goes wrong", () => {
  test("a job that may not comment gets a warning, and the preview", async () => {
    github.mayWrite = false;
    const { code, log } = await run(pullRequest("opened"));
    expect([code, log]).toEqual([0, expect.stringMatching(/::warning::.*403.*pull-requests: write/)]);
    expect(await served("shop-pr-12.example.com")).toBe("web-pr-12.example.org");
  });

  test("a wrong token, an event of another kind, and a name of somebody else's", async () => {
    expect((await run(pullRequest("opened"), { "worker-token": "wrong" })).log).toContain(
      "::error::The Worker refused the token",
    );
    expect((await run({}, {}, { kind: "push" })).log).toContain('was started by the event "push"');
    const services = [{ name: "web", location: "https://web.example.org" }];
    const domains = [{ domain: "example.com", default_service: "web" }];
    await api("POST", "/linkup/v2/sessions/preview", {
      desired_name: "shop-pr-12",
      session_token: "x",
      services,
      domains,
    });
    const { code, log } = await run(pullRequest("opened"));
    expect([code, log]).toEqual([1, expect.stringContaining("belongs to another session")]);
  });
});

test("the release's tag holds all that a runner needs", async () => {
  const repository = join(folder, "release");
  const git = (...args: string[]) =>
    execFileSync("git", ["-c", "user.name=t", "-c", "user.email=t@example.com", ...args], {
      cwd: repository,
      encoding: "utf8",
    });
  mkdirSync(repository);
  git("init", "-q");
  git("commit", "-q", "--allow-empty", "-m", "source");
  const env = { ...process.env, GIT_AUTHOR_NAME: "t", GIT_AUTHOR_EMAIL: "t@example.com" };
  const said = execFileSync(
    process.execPath,
    [join(root, "scripts/release-action.mjs"), "--repository", repository],
    { encoding: "utf8", env: { ...env, GIT_COMMITTER_NAME: "t", GIT_COMMITTER_EMAIL: "t@example.com" } },
  );
  const [exact, major] = said.trim().split("\n");
  expect(exact).toMatch(/^action-v\d+\.\d+\.\d+$/);
  expect(git("rev-parse", major!)).toBe(git("rev-parse", exact!));
  git("checkout", "-q", exact!);
  expect(git("ls-files").trim().split("\n")).toEqual([
    "LICENSE",
    "README.md",
    "THIRD_PARTY_NOTICES.txt",
    "action.yml",
    "dist/action.js",
  ]);
  const { code, outputs } = await run(
    pullRequest("opened"),
    {},
    { bundle: join(repository, "dist/action.js") },
  );
  expect([code, outputs.name]).toEqual([0, "shop-pr-12"]);
});
