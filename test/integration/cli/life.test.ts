import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Store } from "../../../manager/store/store.ts";
import { isRunning, ownId, startOf } from "../../../node/process-identity.ts";
import { startWorker } from "../../../scripts/embedded-worker.mjs";
import { TOKEN, until, World } from "../manager/world.ts";

interface Started {
  session_name: string;
  kind: string;
  urls: string[];
  services: { name: string; target: string; location: string; health: string }[];
}

interface Status {
  sessions: { name: string; state: string; services: { name: string; target: string }[] }[];
  problems: { code: string }[];
}

let world: World;
beforeEach(async () => {
  world = await World.create();
});
afterEach(() => world[Symbol.asyncDispose]());

const startDetached = () => world.json<Started>("start", "--detach");
const targets = async () => {
  const { sessions } = await world.json<Status>("status");
  return sessions[0]?.services.map(({ name, target }) => `${name} ${target}`);
};

describe("a tunneled session", () => {
  test("starts, follows every toggle, and leaves nothing behind", async () => {
    const started = await startDetached();
    const name = started.session_name;
    expect(name).toMatch(/^[a-z]+-[a-z]+$/);
    expect(started).toMatchObject({
      kind: "tunneled",
      urls: [`http://${name}.shop.localhost:${world.workerPort}/`],
      services: [
        { name: "web", target: "remote", health: "healthy" },
        { name: "api", target: "remote", health: "healthy" },
      ],
    });
    expect(await world.served(name)).toBe("remote web");
    expect(await world.served(name, "/api/x")).toBe("remote api");

    expect((await world.linkup("route", "local", "api")).code).toBe(0);
    expect(await world.served(name)).toBe("remote web");
    expect(await world.served(name, "/api/x")).toBe("local api");
    expect(await targets()).toEqual(["web remote", "api local"]);

    await world.linkup("route", "local", "--all");
    expect(await world.served(name)).toBe("local web");
    await world.linkup("route", "remote", "-a");
    expect(await world.served(name, "/api/x")).toBe("remote api");

    expect(await world.linkup("stop")).toMatchObject({ code: 0, stdout: `Stopped ${name} (tunneled)\n` });
    expect([...world.processes().values()]).toEqual([]);
    expect(await world.served(name)).toMatch(/^422 /);
    expect((await world.linkup("stop", "--all")).stdout).toBe("No session was running.\n");
  });

  test("is started once by repeated starts", async () => {
    const first = await startDetached();
    const [pid] = world.pidsOf("local-server");
    await world.linkup("route", "local", "api");
    const second = await startDetached();
    expect(second.session_name).toBe(first.session_name);
    expect(second.services.map(({ target }) => target)).toEqual(["remote", "local"]);
    expect(world.pidsOf("local-server")).toEqual([pid]);
  });

  test("is started once by two concurrent starts", async () => {
    const [first, second] = await Promise.all([startDetached(), startDetached()]);
    expect(second.session_name).toBe(first.session_name);
    expect(world.pidsOf("local-server")).toHaveLength(1);
    expect(await world.served(first.session_name)).toBe("remote web");
  });

  test("keeps its name and targets over restarts", async () => {
    const first = await startDetached();
    await world.linkup("route", "local", "web");
    await world.linkup("stop");
    const second = await startDetached();
    expect(second.session_name).toBe(first.session_name);
    expect(second.services[0]).toMatchObject({ name: "web", target: "local" });
    expect(await world.served(second.session_name)).toBe("local web");
  });

  test("gets another name when its own is taken", async () => {
    const { session_name: name } = await startDetached();
    await world.linkup("stop");
    const body = {
      desired_name: name,
      session_token: "someone else",
      services: [{ name: "web", location: "http://127.0.0.1:1", rewrites: null }],
      domains: [{ domain: "shop.localhost", default_service: "web", routes: null }],
    };
    const taken = await fetch(`${world.worker!.url}/linkup/v2/sessions/tunneled`, {
      method: "POST",
      headers: { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    expect(taken.status).toBe(200);

    const { session_name: other } = await startDetached();
    expect(other).not.toBe(name);
    expect(await world.served(other)).toBe("remote web");
    expect((await world.json<Status>("status")).sessions.map(({ name }) => name)).toEqual([other]);
  });

  test.each([
    ["detached", ["--detach"]],
    ["in the foreground", []],
  ])("does not start %s under another name than the one it was told to have", async (_, more) => {
    await world.json("start", "--detach", "--name", "mine");
    world.env.LINKUP_HOME = join(world.folder, "another-home");
    const { code, stdout, stderr } = await world.linkup("start", "--name", "mine", ...more);
    expect(code).toBe(1);
    expect(stdout).toBe("");
    expect(stderr).toContain("The name mine belongs to another session");
    expect((await world.json<Status>("status")).sessions).toEqual([]);
    expect((await startDetached()).session_name).not.toBe("mine");
    await world.linkup("stop");
    world.env.LINKUP_HOME = world.home;
    expect(await world.served("mine")).toBe("remote web");
  });

  test("is deleted from its previous Worker when worker_url changes", async () => {
    const { session_name: name } = await startDetached();
    const second = await startWorker({ token: TOKEN, port: 0 });
    try {
      const text = readFileSync(world.configPath, "utf8");
      writeFileSync(
        world.configPath,
        text.replace(`http://127.0.0.1:${world.workerPort}`, second.url.replace(/\/$/, "")),
      );
      expect((await startDetached()).session_name).toBe(name);
      expect(await world.served(name)).toMatch(/^422 /);
      const port = Number(new URL(second.url).port);
      expect(await world.ask(`${name}.shop.localhost`, "/", port)).toMatchObject({ body: "remote web" });
      expect((await world.json<Status>("status")).sessions.map(({ name }) => name)).toEqual([name]);
    } finally {
      await world.linkup("stop");
      await second.stop();
    }
  });

  test("takes the requested name when it is free", async () => {
    const start = (...more: string[]) => world.linkup("start", "--detach", "--json", ...more);
    expect(JSON.parse((await start("--name", "mine")).stdout)).toMatchObject({ session_name: "mine" });
    expect(await world.served("mine")).toBe("remote web");
    expect(await start("--name", "other")).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("The session runs as mine. Stop it first"),
    });
    const config = world.writeConfig(join(world.folder, "other.yaml"));
    expect(await start("--name", "mine", "--config", config)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("The name mine is used by another session on this machine"),
    });
    expect((await start("--name", "No_Name")).code).toBe(2);
  });

  test("is unchanged when the Worker rejects a toggle", async () => {
    const { session_name: name } = await startDetached();
    await world.stopWorker();
    const failed = await world.linkup("route", "local", "web");
    expect(failed.code).toBe(1);
    expect(failed.stderr).toContain("web was not switched to local: The Worker at http://127.0.0.1:");
    expect(await targets()).toEqual(["web remote", "api remote"]);
    await world.startWorker();
    await startDetached();
    expect(await world.served(name)).toBe("remote web");
  });

  test("ends with the terminal in which it was started", async () => {
    const { child, output } = world.spawnLinkup("start", "--foreground", "--json");
    const started = await until(
      "the session",
      () => output.stdout.includes("\n") && (JSON.parse(output.stdout) as Started),
    );
    expect(await world.served(started.session_name)).toBe("remote web");
    child.kill("SIGINT");
    await until("its end", () => child.exitCode !== null);
    expect(child.exitCode).toBe(0);
    expect([...world.processes().values()]).toEqual([]);
    expect(await world.served(started.session_name)).toMatch(/^422 /);
  });

  test("started without a terminal runs until linkup stop", async () => {
    const { code, stdout, stderr } = await world.linkup("start", "--json");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "The session runs until linkup stop.\n" });
    expect(await world.served((JSON.parse(stdout) as Started).session_name)).toBe("remote web");
    expect((await world.linkup("start", "--detach", "--foreground")).code).toBe(2);
  });

  test("is stopped once the keeper has exited, even if the keeper stopped it first", async () => {
    const { session_name: name } = await startDetached();
    const keeper = spawn("sleep", ["2"]);
    await once(keeper, "spawn");
    const exiting_keeper = { pid: keeper.pid!, started: (await startOf(keeper.pid!))! };
    await new Store(world.home).change((state) => {
      state.exiting_keeper = exiting_keeper;
    });
    expect((await world.linkup("stop")).stdout).toBe(`Stopped ${name} (tunneled)\n`);
    expect(await isRunning(exiting_keeper)).toBe(false);
  });

  test("leaves nothing behind when it cannot start", async () => {
    await world.stopWorker();
    const { code, stderr } = await world.linkup("start", "--detach");
    expect(code).toBe(4);
    expect(stderr).toContain("cannot be reached: nothing listens there");
    expect([...world.processes().values()]).toEqual([]);
    expect((await world.json<Status>("status")).sessions).toEqual([]);
  });

  test("waiting for another process ends at the second Ctrl-C", async () => {
    world.env.LINKUP_DEBUG = "1";
    const lock = join(world.home, "state.lock");
    const { child, output } = world.spawnLinkup("start", "--foreground");
    await until("the session", () => output.stdout.includes("http"));
    const holder = JSON.stringify(await ownId());
    // The keeper and the terminal hold it for a moment, again and again.
    await until("the lock", () => {
      try {
        writeFileSync(lock, holder, { flag: "wx" });
        return true;
      } catch {
        return false;
      }
    });
    child.kill("SIGINT");
    await until("its wait", () =>
      output.stderr.includes(`Waiting for process ${process.pid}, which holds ${lock}`),
    );
    expect(child.exitCode).toBe(null);
    child.kill("SIGINT");
    await until("the end of linkup", () => child.signalCode !== null);
    expect(child.signalCode).toBe("SIGINT");
    rmSync(lock);
  });

  test("leaves nothing behind when the local server cannot start", async () => {
    mkdirSync(world.home);
    writeFileSync(join(world.home, "logs"), "no folder");
    const { code, stderr } = await world.linkup("start", "--detach");
    expect(code).toBe(1);
    expect(stderr).toContain(`The log ${join(world.home, "logs", "keeper.log")} cannot be written`);
    expect((await world.json<Status>("status")).sessions).toEqual([]);
    expect([...world.processes().values()]).toEqual([]);
  });

  test("needs the right token", async () => {
    world.env.LINKUP_WORKER_TOKEN = "another";
    expect(await world.linkup("start", "--detach")).toMatchObject({
      code: 4,
      stderr: expect.stringContaining("does not accept the token"),
    });
    delete world.env.LINKUP_WORKER_TOKEN;
    expect(await world.linkup("start", "--detach")).toMatchObject({
      code: 4,
      stderr: expect.stringContaining("needs a token, and there is none"),
    });
    expect([...world.processes().values()]).toEqual([]);
    // As it is pasted into the secrets of a CI, or read from a file of Windows.
    world.env.LINKUP_WORKER_TOKEN = `${TOKEN}\r\n`;
    expect(await world.linkup("start", "--detach")).toMatchObject({ code: 0 });
  });
});

test("start, route and status do not wait for a service that does not answer", async () => {
  await startDetached();
  const silent = createServer(() => {}).listen(0, "127.0.0.1");
  await once(silent, "listening");
  try {
    const text = readFileSync(world.configPath, "utf8");
    const { port } = silent.address() as AddressInfo;
    writeFileSync(world.configPath, text.replace(world.location("remote web"), `http://127.0.0.1:${port}`));
    const impatient = { health: "unknown", reason: expect.stringContaining("did not answer within 300 ms") };
    expect((await startDetached()).services).toMatchObject([{ health: "unknown" }, { health: "healthy" }]);
    expect(await world.json("route", "local", "api")).toMatchObject({ services: [impatient, {}] });
    const { sessions } = await world.json<{ sessions: { services: unknown[] }[] }>("status");
    expect(sessions[0]!.services).toMatchObject([
      { name: "web", ...impatient },
      { name: "api", health: "healthy" },
    ]);
  } finally {
    silent.closeAllConnections();
    silent.close();
  }
});

test("sessions of several workspaces run side by side", async () => {
  const other = world.writeConfig(join(world.folder, "other.yaml"));
  const first = await startDetached();
  const second = await world.json<Started>("start", "--detach", "--config", other);
  await world.linkup("route", "local", "--all", "--session", second.session_name);
  expect(await world.served(first.session_name)).toBe("remote web");
  expect(await world.served(second.session_name)).toBe("local web");
  expect(world.pidsOf("local-server")).toHaveLength(1);

  await world.linkup("stop", "--session", first.session_name);
  expect(await world.served(first.session_name)).toMatch(/^422 /);
  expect(await world.served(second.session_name)).toBe("local web");
  await world.linkup("stop", "--all");
  expect([...world.processes().values()]).toEqual([]);
});

test("a file reached through a symbolic link has one session", async () => {
  symlinkSync(".", join(world.folder, "link"));
  const linked = join(world.folder, "link", "linkup.yaml");
  const first = await world.json<Started>("start", "--detach", "--config", linked);
  expect((await startDetached()).session_name).toBe(first.session_name);
  expect((await world.json<Status>("status")).sessions).toHaveLength(1);
  await world.linkup("route", "local", "web");
  expect(await world.served(first.session_name)).toBe("local web");
  expect((await world.linkup("stop")).stdout).toBe(`Stopped ${first.session_name} (tunneled)\n`);
});

test.skipIf(process.platform === "win32")("a home that is a link is the folder it leads to", async () => {
  const real = join(world.folder, "elsewhere");
  mkdirSync(real, { mode: 0o700 });
  symlinkSync(real, world.home);
  // What `--config=~/…` is for the shells that leave it alone.
  const { session_name } = await world.json<Started>("start", "--detach", "--config=~/linkup.yaml");
  world.env.LINKUP_HOME = real;
  const { sessions } = await world.json<Status>("status");
  expect(sessions.map(({ name }) => name)).toEqual([session_name]);
  expect((await world.linkup("stop")).code).toBe(0);
  expect([...world.processes().keys()]).toEqual([]);
});

test("an isolated session is served on this machine only", async () => {
  await world.stopWorker();
  const started = await world.json<Started>("start", "--isolated", "--detach");
  expect(started.session_name).toMatch(/^[a-z0-9]{6}$/);
  const url = new URL(started.urls[0]!);
  expect(url.hostname).toBe(`${started.session_name}.shop.localhost`);
  expect(await world.ask(url.hostname, "/", Number(url.port))).toEqual({ status: 200, body: "remote web" });
  await world.linkup("route", "local", "web");
  expect(await world.ask(url.hostname, "/", Number(url.port))).toEqual({ status: 200, body: "local web" });
});

test("an isolated start ends a public URL only when it is told to", async () => {
  const { session_name: name } = await startDetached();
  const refused = await world.linkup("start", "--isolated", "--detach");
  expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining("--yes") });
  expect(await world.served(name)).toBe("remote web");
  const { kind } = await world.json<Started & { kind: string }>("start", "--isolated", "--detach", "--yes");
  expect(kind).toBe("isolated");
  // What is replaced is local already: nothing is asked.
  expect((await world.linkup("start", "--isolated", "--detach")).code).toBe(0);
});

test("an isolated session of a domain without DNS says what it needs", async () => {
  world.writeConfig(world.configPath, { domain: "example.com" });
  const { code, stdout, stderr } = await world.linkup("start", "--isolated", "--detach", "--json");
  expect(code).toBe(0);
  const { session_name: name, urls } = JSON.parse(stdout) as Started;
  expect(stderr).toContain(`Browsers on this machine cannot resolve ${name}.example.com, because local DNS`);
  expect(stderr).toContain("To fix it, run: linkup local-dns install");
  expect((await world.json<Status>("status")).problems).toMatchObject([{ code: "no-local-dns" }]);
  const { hostname, port } = new URL(urls[0]!);
  expect(await world.ask(hostname, "/", Number(port))).toEqual({ status: 200, body: "remote web" });
});

test("a linkup.yaml with errors is reported with all diagnostics and their ranges", async () => {
  writeFileSync(
    world.configPath,
    "linkup:\n  worker_url: nowhere\nservices:\n  - name: web\n    remote: http://a.example\n    local: http://localhost:1\ndomains:\n  - domain: example.com\n    default_service: wbe\n",
  );
  const { code, stderr, stdout } = await world.linkup("start", "--detach");
  expect(code).toBe(3);
  expect(stdout).toBe("");
  expect(stderr).toContain('linkup.yaml:2:15 error "linkup.worker_url" must be an http or https URL');
  expect(stderr).toContain("linkup.yaml:9:22 error");
  expect(stderr).toContain("  9 |     default_service: wbe\n");
  const { problem, problems } = JSON.parse((await world.linkup("start", "--detach", "--json")).stderr);
  expect(problem.code).toBe("config-invalid");
  expect(problems).toMatchObject([{ range: { start: { line: 1 } } }, { range: { start: { line: 8 } } }]);
  expect([...world.processes().values()]).toEqual([]);
});

test("control characters in a service's name do not reach the terminal", async () => {
  const text = readFileSync(world.configPath, "utf8");
  writeFileSync(
    world.configPath,
    text
      .replace("name: api", 'name: "a\\e]0;title\\api" # \x1b]0;title\x07')
      .replace("service: api", "service: web"),
  );
  const started = await world.linkup("start", "--isolated", "--detach");
  expect(started).toMatchObject({ code: 3, stderr: expect.stringContaining("# \ufffd]0;title\ufffd") });
  const refused = await world.linkup("route", "local", "a\x1b]0;title\x07");
  expect(refused).toMatchObject({ code: 5, stderr: expect.not.stringContaining("\x1b") });
});

test("a file that is too long is refused with a sentence", async () => {
  writeFileSync(world.configPath, "x".repeat(20_000_000));
  expect(await world.linkup("start", "--detach")).toMatchObject({
    code: 3,
    stderr: `linkup.yaml has errors: ${world.configPath} is larger than 2 MB, so it is not read as a linkup.yaml.\n`,
  });
});

test("without a linkup.yaml it says where it looked", async () => {
  const { code, stderr } = await world.linkup("start", "--config", "nowhere.yaml");
  expect(code).toBe(3);
  expect(stderr).toContain(join(world.folder, "nowhere.yaml"));
});

test("explains a request", async () => {
  const { session_name: name } = await startDetached();
  await world.linkup("route", "local", "api");
  const explained = await world.linkup("explain", `http://${name}.shop.localhost/api/users?a=b`);
  expect(explained.stdout).toContain("Service api\n");
  expect(explained.stdout).toContain("Route 1 of the domain matches the path: ^/api/");
  expect(explained.stdout).toMatch(/→ http:\/\/127\.0\.0\.1:\d+\/api\/users\?a=b\n$/);
  const unknown = await world.json(
    "explain",
    "http://shop.localhost/",
    "-H",
    "tracestate: linkup-session=nobody",
  );
  expect(unknown).toMatchObject({
    // Below localhost two labels are enough for a session.
    candidates: [
      { name: "shop", source: "host", known: false },
      { name: "nobody", source: "tracestate", known: false },
    ],
    session: null,
  });
});

describe("a Worker that is unreachable at a stop", () => {
  test("is told later, and the stop does not wait", async () => {
    const { session_name: name } = await startDetached();
    await world.stopWorker();
    const { code, stderr } = await world.linkup("stop");
    expect(code).toBe(0);
    expect(stderr).toContain(`${name} ended, but could not be deleted from the Worker.`);
    expect((await world.json<Status>("status")).problems).toMatchObject([{ code: "session-left" }]);
    expect((await world.linkup("health")).stdout).toContain(
      `${name} ended, but could not be deleted from the Worker.`,
    );
    expect([...world.processes().values()]).toEqual([]);
    await world.startWorker();
    expect(await world.served(name)).toBe("remote web");

    await until("the Worker to be told", async () => {
      await world.linkup("stop", "--all");
      return (await world.json<Status>("status")).problems.length === 0;
    });
    expect(await world.served(name)).toMatch(/^422 /);
  });

  test("is not asked to delete a session that was started again", async () => {
    const { session_name: name } = await startDetached();
    await world.stopWorker();
    await world.linkup("stop");
    await world.startWorker();
    expect((await startDetached()).session_name).toBe(name);
    await until("nothing left to tell", async () => {
      await startDetached();
      return (await world.json<Status>("status")).problems.length === 0;
    });
    expect(await world.served(name)).toBe("remote web");
  });
});

describe("the state", () => {
  test.runIf(process.platform === "linux")("where no folder can be made: it says so, and ends", async () => {
    world.env.LINKUP_HOME = "/proc/linkup/home";
    for (const command of [
      ["start", "--detach"],
      ["stop", "--all"],
    ]) {
      const { code, stderr } = await world.linkup(...command);
      expect(code).toBe(1);
      expect(stderr).toMatch(
        /^The state directory cannot be used: Linkup keeps its state in \/proc\/linkup\/home, which cannot be used/,
      );
    }
    expect(await world.linkup("health")).toMatchObject({
      code: 6,
      stdout: expect.stringContaining("/proc/linkup/home cannot be used: ENOENT"),
    });
    world.env.LINKUP_HOME = world.home;
  });

  test("an unreadable list of env files is set aside and reported until the next stop", async () => {
    await startDetached();
    writeFileSync(join(world.home, "env-files.json"), "{");
    const problem = await until("the problem", async () => {
      const { problems } = await world.json<Status>("status");
      return problems.find(({ code }) => code === "journal-set-aside");
    });
    expect(problem).toMatchObject({ message: expect.stringContaining("env-files.json.unreadable-") });
    expect((await world.linkup("health")).stdout).toContain("env-files.json.unreadable-");
    await world.linkup("stop");
    expect((await world.json<Status>("status")).problems).toEqual([]);
  });

  test("is readable by its user only", async () => {
    await startDetached();
    expect(statSync(world.home).mode & 0o777).toBe(0o700);
    expect(statSync(join(world.home, "state.json")).mode & 0o777).toBe(0o600);
    for (const log of readdirSync(join(world.home, "logs"))) {
      expect(statSync(join(world.home, "logs", log)).mode & 0o777).toBe(0o600);
    }
    expect(world.logs()).not.toContain(TOKEN);
  });

  test.each(["", '{"version":1,"sess', '{"version":99}', "[]"])(
    "that cannot be read is set aside: %j",
    async (text) => {
      const { session_name: lost } = await startDetached();
      // The keeper writes it too.
      process.kill(world.pidsOf("keeper")[0]!, "SIGKILL");
      writeFileSync(join(world.home, "state.json"), text);
      const { problems } = await world.json<Status>("status");
      expect(problems).toMatchObject([{ code: "state-set-aside" }]);
      const [aside] = readdirSync(world.home).filter((name) => name.startsWith("state.json.unreadable-"));
      expect(readFileSync(join(world.home, aside!), "utf8")).toBe(text);

      const { session_name: fresh } = await startDetached();
      expect(await world.served(fresh)).toBe("remote web");
      expect(world.pidsOf("local-server")).toHaveLength(1);
      expect(lost).not.toBe(fresh);
    },
  );
});
