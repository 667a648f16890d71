import { expect, test } from "vitest";
import { EventCounter } from "./event-counter.ts";

function counted(text: string, size = text.length): number {
  const counter = new EventCounter();
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += Math.max(1, size)) counter.feed(bytes.subarray(at, at + size));
  return counter.events;
}

test.each([
  ["", 0],
  ["data: 1\n\ndata: 2\n\n", 2],
  ["id: 7\ndata: 1\ndata: 2\n\n", 1],
  ["data: 1\r\n\r\ndata: 2\r\r", 2],
  ["data\n\n", 1],
  // Comments, other fields, and what has not ended are no events.
  [": ping\n\nevent: x\n\ndatabase: 1\n\ndat\n\ndata: 1\n", 0],
])("%j has %d events, however it comes in pieces", (text, events) => {
  for (const size of [text.length, 1, 3]) expect(counted(text, size)).toBe(events);
});
