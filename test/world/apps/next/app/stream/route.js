import { setTimeout as sleep } from "node:timers/promises";

export function GET() {
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
