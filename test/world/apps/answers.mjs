// The answers to the questions of frameworks.test.ts, for frameworks whose handlers take and give web objects.
import { setTimeout as sleep } from "node:timers/promises";

export const cookie = (request) => new Response(request.headers.get("cookie") ?? "");
export const json = (served) => Response.json({ served });
export const absolute = (request) => Response.redirect(new URL("/page", request.url), 302);
export const form = async (request) => new Response((await request.formData()).get("name"));

export function cookies() {
  const headers = new Headers();
  headers.append("set-cookie", "plain=1; Path=/");
  headers.append("set-cookie", "shared=2; Domain=.shop.test; Path=/; SameSite=Lax");
  headers.append("set-cookie", "dated=3; Path=/; Expires=Wed, 02 Jan 2030 03:04:05 GMT; HttpOnly");
  return new Response("set", { headers });
}

export function stream() {
  const events = new ReadableStream({
    async start(controller) {
      const bytes = new TextEncoder();
      controller.enqueue(bytes.encode("data: first\n\n"));
      const released = new Promise((resolve) => {
        globalThis.release = resolve;
      });
      await Promise.race([released, sleep(20_000)]);
      controller.enqueue(bytes.encode("data: second\n\n"));
      controller.close();
    },
  });
  return new Response(events, { headers: { "content-type": "text/event-stream" } });
}

export function release() {
  globalThis.release?.();
  return new Response("released");
}
