/** Cloudflare runs the Worker in many isolates at once, each with a memory of its own. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { apiOf, oneService, type StartedService, send, startService, startWorker } from "./world.ts";

let worker: Awaited<ReturnType<typeof startWorker>>;
let here: StartedService;
let there: StartedService;
let urls: [string, string];

beforeAll(async () => {
  [here, there] = await Promise.all([startService("here"), startService("there")]);
  worker = await startWorker({ twice: true });
  urls = [worker.url, worker.secondUrl!];
});
afterAll(async () => {
  await worker.stop();
  await Promise.all([here.stop(), there.stop()]);
});

const save = (base: string, name: string, { url }: StartedService) =>
  apiOf(base)("POST", "/linkup/v2/sessions/preview", {
    ...oneService(url),
    desired_name: name,
    session_token: "t",
  });

/** Which service answers, or the status of an answer that no service gave. */
async function answerOf(base: string, name: string): Promise<string> {
  const { status, body } = await send(base, "/", { headers: { host: `${name}.example.com` } });
  return status === 200 ? JSON.parse(body).service : String(status);
}

/** Asks without a pause until the answer is the wanted one. None that is asked for a second after a change may be old. */
async function expectSoon(base: string, name: string, wanted: string): Promise<void> {
  const changed = performance.now();
  for (;;) {
    const asked = performance.now();
    const answer = await answerOf(base, name);
    if (answer === wanted) return;
    expect(asked - changed, `still ${answer}, and not ${wanted}`).toBeLessThanOrEqual(1000);
  }
}

test("a new name, a toggle and a deletion made through one are seen by the other within a second", async () => {
  const [one, other] = urls;
  // The other remembers that there is no such session.
  expect(await answerOf(other, "shared")).toBe("422");

  await save(one, "shared", here);
  expect(await answerOf(one, "shared")).toBe("here");
  await expectSoon(other, "shared", "here");

  await save(one, "shared", there);
  expect(await answerOf(one, "shared")).toBe("there");
  await expectSoon(other, "shared", "there");

  await apiOf(other)("DELETE", "/linkup/v2/sessions/shared");
  expect(await answerOf(other, "shared")).toBe("422");
  await expectSoon(one, "shared", "422");
});

test("both list the same sessions, and a name is owned in both", async () => {
  const [one, other] = urls;
  await save(one, "owned", here);
  const names = async (base: string) => (await apiOf(base)("GET", "/linkup/v2/sessions?name=owned")).body;
  expect(await names(other)).toBe(await names(one));
  const conflict = await apiOf(other)("POST", "/linkup/v2/sessions/preview", {
    ...oneService(there.url),
    desired_name: "owned",
    session_token: "another",
  });
  expect(conflict.status).toBe(409);
});
