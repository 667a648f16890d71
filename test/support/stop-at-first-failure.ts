/** Tests that go on where the one before them ended: after a failure the rest is skipped, so that a run shows one cause. */
import { beforeEach } from "vitest";

/** For the file, or the `describe` that it is called in. */
export function stopAtFirstFailure(): void {
  let failed: string | undefined;
  beforeEach(({ skip, task, onTestFailed }) => {
    if (failed !== undefined) skip(`"${failed}" failed before`);
    onTestFailed(() => {
      failed = task.name;
    });
  });
}
