/** `linkup init` */
import { writeFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { configTemplate, type TemplateTexts } from "../../core/config/config-template.ts";
import { findServices } from "../../manager/discovery/find-services.ts";
import { LinkupError } from "../../manager/model/problem.ts";

export async function init(file: string, options: { json?: boolean }): Promise<void> {
  const path = resolve(file);
  const services = await findServices(dirname(path));
  try {
    await writeFile(path, configTemplate(WORDS, services), { flag: "wx" });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "EEXIST")
      throw new LinkupError("config-exists", `${path} is there already, and stays as it is.`);
    const why = code === "ENOENT" ? `there is no folder ${dirname(path)}` : message;
    throw new LinkupError("config-unwritable", `${path} could not be written: ${why}.`);
  }
  if (options.json) {
    process.stdout.write(`${JSON.stringify({ created: path, services })}\n`);
    return;
  }
  const found = services.map(({ name, local, foundIn }) => `  ${name} at ${local} (${foundIn})\n`).join("");
  process.stdout.write(
    found
      ? `Created ${path} with what was found here:\n${found}Put their deployed addresses and your domain into it, then: linkup start\n`
      : `Created ${path}. Put your services into it, then: linkup start\n`,
  );
}

const WORDS: TemplateTexts = {
  head: "Linkup: which services there are, and which host names they serve.",
  worker: [
    "Where the Linkup Worker answers. Its token is better not written here: LINKUP_WORKER_TOKEN has it.",
  ],
  services: "Each service has a shared, deployed copy, and one on your machine.",
  foundIn: (file) => `Found in ${file}.`,
  domains: "A session named slim-gecko is at https://slim-gecko.example.com.",
};
