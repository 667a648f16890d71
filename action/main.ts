/** The GitHub Action: the preview of a pull request, from its opening to its end. */
import { LinkupError } from "../manager/model/problem.ts";
import { proxyFetch } from "../node/forward-proxy.ts";
import { readEvent } from "./event.ts";
import { removePreview, updatePreview } from "./preview.ts";
import { fail, notice, takeInputs } from "./runner.ts";

async function main(): Promise<void> {
  proxyFetch();
  const inputs = takeInputs(process.env);
  const event = await readEvent(process.env);
  if (inputs.workerToken === "") {
    // GitHub gives no secrets to pull requests of forks, and a red cross there would tell nobody anything.
    if (!event.fromFork) throw new Error("The input worker-token is empty. Is the secret set?");
    return notice("No preview: pull requests of forks get no secrets, and so no worker token.");
  }
  await (event.isClosed ? removePreview(inputs, event) : updatePreview(inputs, event));
}

main().catch((error: unknown) => {
  const expected = error instanceof LinkupError ? `${error.problem.title}: ${error.message}` : undefined;
  fail(expected ?? (error instanceof Error ? error.message : String(error)));
});
