import { expect, test, vi } from "vitest";
import { EventEmitter } from "../../test/support/vscode.ts";
import type { Linkup } from "../linkup.ts";
import type { RequestCounts } from "../window-model.ts";
import { countRequests } from "./register-requests.ts";
import type { RequestFeed } from "./request-feed.ts";

test("numbers are told after a change, and while there are some of the last minutes", () => {
  vi.useFakeTimers();
  const changed = new EventEmitter<void>();
  let services: RequestCounts["services"] = {};
  let reads = 0;
  const feed = {
    onDidChange: changed.event,
    onDidReset: changed.event,
    onDidLook: changed.event,
    get counts() {
      reads++;
      return { services, newErrors: 0 };
    },
  } as unknown as RequestFeed;
  const shown: RequestCounts[] = [];
  const counting = countRequests(feed, {
    showRequestCounts: (counts: RequestCounts) => shown.push(counts),
  } as unknown as Linkup);
  vi.advanceTimersByTime(60_000);
  expect(reads).toBe(0);

  services = { api: { perMinute: 2, errors: 0, lost: 0 } };
  changed.fire();
  changed.fire();
  vi.advanceTimersByTime(2_000);
  expect(shown).toEqual([{ services: { api: { perMinute: 2, errors: 0, lost: 0 } }, newErrors: 0 }]);

  services = {};
  vi.advanceTimersByTime(2_000);
  expect(shown.at(-1)).toEqual({ services: {}, newErrors: 0 });
  const before = reads;
  vi.advanceTimersByTime(60_000);
  expect(reads).toBe(before);

  changed.fire();
  counting.dispose();
  vi.advanceTimersByTime(60_000);
  expect(reads).toBe(before);
  vi.useRealTimers();
});
