// Uploads 6 MB in parts, gives up after the second one, and goes on with another client.
import { createHash, randomBytes } from "node:crypto";
import { Upload } from "tus-js-client";

const [endpoint] = process.argv.slice(2);
const data = randomBytes(6 * 1024 * 1024);
const base = { endpoint, chunkSize: 1024 * 1024, retryDelays: [], metadata: { filename: "größe.bin" } };

const url = await new Promise((resolve, reject) => {
  const upload = new Upload(data, {
    ...base,
    onError: reject,
    onChunkComplete: async (_, accepted) => {
      if (accepted !== 2 * 1024 * 1024) return;
      const { url } = upload;
      await upload.abort();
      resolve(url);
    },
  });
  upload.start();
});
let resumedAt;
await new Promise((resolve, reject) => {
  const upload = new Upload(data, {
    ...base,
    uploadUrl: url,
    onError: reject,
    onSuccess: resolve,
    onProgress: (sent) => {
      resumedAt ??= sent;
    },
  });
  upload.start();
});
console.log(JSON.stringify({ url, resumedAt, sum: createHash("sha256").update(data).digest("hex") }));
