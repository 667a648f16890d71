// What the README says of the demo, each as a request that shows it.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { WebSocket } from "ws";

/** Every claim with a function that rejects when it does not hold. They build on each other, in this order. */
export function claims({ session, workerPort, configPath, remote, token, linkup }) {
  const name = session.session_name;
  const sessionHost = `${name}.shop.localhost:${workerPort}`;
  const page = `http://${sessionHost}/`;
  const traced = { tracestate: `linkup-session=${name}` };

  /** A request to the Worker's address with this host, as a browser or curl sends it after resolving *.localhost. */
  const ask = (host, path, headers = {}, method = "GET", body) =>
    send({
      port: workerPort,
      host: host.includes(":") ? host : `${host}:${workerPort}`,
      path,
      headers,
      method,
      body,
    });
  const served = (answer, by) => {
    assert.equal(answer.status, 200, `status ${answer.status}: ${answer.body.slice(0, 300)}`);
    assert.equal(`${answer.headers["x-copy"]} ${answer.headers["x-served-by"]}`, by);
  };

  return [
    {
      claim: "the session has a name and a URL per domain",
      holds: async () => {
        assert.match(name, /^[a-z]+-[a-z]+$/);
        assert.deepEqual(session.urls, [page, `http://${name}.api.shop.localhost:${workerPort}/`]);
        assert.deepEqual(
          session.services.map(({ name, target }) => `${name} ${target}`),
          ["web remote", "api remote", "auth remote"],
        );
      },
    },
    {
      claim: "the subdomain alone reaches the right service",
      holds: async () => {
        served(await ask(sessionHost, "/"), "remote web");
        served(await ask(`${name}.api.shop.localhost`, "/api/whoami"), "remote api");
        served(await ask(sessionHost, "/auth/whoami"), "remote auth");
      },
    },
    {
      claim: "only Referer reaches the right service",
      holds: async () =>
        served(await ask("api.shop.localhost", "/api/whoami", { referer: page }), "remote api"),
    },
    {
      claim: "only Origin reaches the right service, and its page may read the answer with credentials",
      holds: async () => {
        const answer = await ask("api.shop.localhost", "/api/whoami", { origin: `http://${sessionHost}` });
        served(answer, "remote api");
        assert.equal(answer.headers["access-control-allow-origin"], `http://${sessionHost}`);
        assert.equal(answer.headers["access-control-allow-credentials"], "true");
      },
    },
    {
      claim: "only tracestate reaches the right service",
      holds: async () => served(await ask("api.shop.localhost", "/api/whoami", traced), "remote api"),
    },
    {
      claim: "without any of them: 422, and the answer says what is missing",
      holds: async () => {
        const answer = await ask("api.shop.localhost", "/api/whoami");
        assert.equal(answer.status, 422);
        assert.match(answer.body, /^Linkup was unable to determine the session origin of the request\./);
        assert.equal(answer.headers["cache-control"], "no-store");
      },
    },
    {
      claim: "a host that is in no domain: 404",
      holds: async () => {
        const answer = await ask("elsewhere.localhost", "/", traced);
        assert.equal(answer.status, 404);
        assert.match(
          answer.body,
          /^The request belonged to a session, but there was no target for the request\./,
        );
      },
    },
    {
      claim: "services learn the session, and pass it on from server to server",
      holds: async () => {
        const { headers, auth } = JSON.parse((await ask("api.shop.localhost", "/api/whoami", traced)).body);
        assert.equal(headers.tracestate, `linkup-session=${name}`);
        assert.match(headers.traceparent, /^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
        assert.equal(headers["linkup-destination"], "api");
        assert.equal(headers["x-forwarded-host"], `${name}.api.shop.localhost`);
        assert.equal(auth.copy, "remote");
      },
    },
    {
      claim: "one toggle moves api to this machine, and the very next request follows",
      holds: async () => {
        await linkup("route", "local", "api", "--session", name);
        served(await ask("api.shop.localhost", "/api/whoami", traced), "local api");
        served(await ask(sessionHost, "/"), "remote web");
      },
    },
    {
      claim: "the local copy calls the remote auth, as the session says",
      holds: async () => {
        const { copy, auth } = JSON.parse((await ask("api.shop.localhost", "/api/whoami", traced)).body);
        assert.deepEqual([copy, auth.copy], ["local", "remote"]);
      },
    },
    {
      claim: "bodies, methods and paths arrive as they were sent",
      holds: async () => {
        const body = "x".repeat(100_000);
        const answer = await ask("api.shop.localhost", "/api/echo?a=%2F&b=c%20d", traced, "PUT", body);
        const seen = JSON.parse(answer.body);
        assert.deepEqual(
          [seen.method, seen.path, seen.bytes],
          ["PUT", "/api/echo?a=%2F&b=c%20d", body.length],
        );
      },
    },
    {
      claim: "every Set-Cookie survives, and redirects are kept",
      holds: async () => {
        assert.equal((await ask(sessionHost, "/auth/whoami")).headers["set-cookie"]?.length, 2);
        assert.equal((await ask(sessionHost, "/auth/login")).status, 302);
      },
    },
    {
      claim: "server-sent events stream",
      holds: async () =>
        assert.equal(
          (await ask("api.shop.localhost", "/api/stream", traced)).body.match(/^data: /gm)?.length,
          3,
        ),
    },
    {
      claim: "WebSockets reach the local copy, subprotocol and close code included",
      holds: async () => {
        const { hello, code, protocol } = await webSocket(
          workerPort,
          `api.shop.localhost:${workerPort}`,
          `http://${sessionHost}`,
        );
        assert.deepEqual([hello.service, hello.copy, protocol, code], ["api", "local", "shop.v1", 1000]);
      },
    },
    {
      claim: "toggled back, the shared copy answers again",
      holds: async () => {
        await linkup("route", "remote", "--all", "--session", name);
        served(await ask("api.shop.localhost", "/api/whoami", traced), "remote api");
      },
    },
    {
      claim: "all services local, toggled at once",
      holds: async () => {
        await linkup("route", "local", "--all", "--session", name);
        for (const [host, path, by] of [
          [sessionHost, "/", "local web"],
          ["api.shop.localhost", "/api/whoami", "local api"],
          [sessionHost, "/auth/whoami", "local auth"],
        ])
          served(await ask(host, path, traced), by);
      },
    },
    {
      claim: "an isolated session beside it needs no Worker",
      holds: async () => {
        const isolated = JSON.parse(
          await linkup("sessions", "create-isolated", "beside", "--config", configPath, "--json"),
        );
        assert.equal(isolated.kind, "isolated");
        const url = new URL(isolated.urls[0]);
        assert.notEqual(Number(url.port), workerPort);
        served(await send({ port: Number(url.port), host: url.host, path: "/" }), "remote web");
        await linkup("stop", "--session", isolated.name);
        served(await ask(sessionHost, "/"), "local web");
      },
    },
    {
      claim: "the documented system: smart-snake with frontend, api and auth",
      holds: async () => {
        const [frontend, api, auth] = remote.map((port) => `http://127.0.0.1:${port}`);
        const created = await send({
          port: workerPort,
          host: `127.0.0.1:${workerPort}`,
          path: "/linkup/v2/sessions/preview",
          method: "POST",
          headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
          body: JSON.stringify({
            desired_name: "smart-snake",
            session_token: "preview_session",
            services: [
              { name: "frontend", location: frontend, rewrites: null },
              { name: "api", location: api, rewrites: null },
              { name: "auth", location: auth, rewrites: null },
            ],
            domains: [
              {
                domain: "example.com",
                default_service: "frontend",
                routes: [{ path: "/auth.*", service: "auth" }],
              },
              { domain: "api.example.com", default_service: "api", routes: null },
            ],
          }),
        });
        assert.equal(created.status, 200, created.body);
        const snake = { tracestate: "linkup-session=smart-snake" };
        const bare = (host, path, headers) => send({ port: workerPort, host, path, headers });
        served(await bare("smart-snake.example.com", "/"), "remote web");
        served(await bare("smart-snake.example.com", "/auth/whoami"), "remote auth");
        served(await bare("smart-snake.api.example.com", "/whoami"), "remote api");
        served(
          await bare("api.example.com", "/whoami", { referer: "http://smart-snake.example.com/" }),
          "remote api",
        );
        served(await bare("api.example.com", "/whoami", snake), "remote api");
        assert.equal((await bare("api.example.com", "/whoami")).status, 422);
        assert.equal((await bare("other.com", "/", snake)).status, 404);
      },
    },
    {
      claim: "stopped, the session is gone, and nothing of it runs",
      holds: async () => {
        const before = JSON.parse(await linkup("status", "--json"));
        await linkup("stop", "--all");
        assert.equal((await ask(sessionHost, "/")).status, 422);
        for (const { id, pid } of before.components)
          if (pid) assert.equal(isRunning(pid), false, `${id} (pid ${pid}) still runs`);
      },
    },
  ];
}

/** One request on a connection of its own; the whole answer. */
function send({ port, host, path, headers = {}, method = "GET", body }) {
  return new Promise((resolve, reject) => {
    const request = httpRequest({
      host: "127.0.0.1",
      port,
      path,
      method,
      headers: { ...headers, host },
      agent: false,
    });
    request.setTimeout(10_000, () =>
      request.destroy(new Error(`no answer to ${method} ${host}${path} within 10 s`)),
    );
    request.on("error", reject);
    request.on("response", async (response) => {
      try {
        let text = "";
        for await (const chunk of response.setEncoding("utf8")) text += chunk;
        resolve({ status: response.statusCode, headers: response.headers, body: text });
      } catch (error) {
        reject(error);
      }
    });
    request.end(body);
  });
}

/** Connects to api's live messages, takes the first one, and closes. */
function webSocket(port, host, origin) {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/api/live`, ["shop.v1"], {
      headers: { host },
      origin,
      handshakeTimeout: 10_000,
    });
    let hello;
    socket.on("error", reject);
    socket.on("message", (data) => {
      hello ??= JSON.parse(data.toString());
      socket.close(1000, "seen");
    });
    socket.on("close", (code) => resolve({ hello, code, protocol: socket.protocol }));
  });
}

function isRunning(pid) {
  try {
    process.kill(pid, 0);
    // Ended, and not yet collected by its parent, which in a container may take its time.
    return process.platform !== "linux" || !/\) Z/.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}
