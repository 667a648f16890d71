/** `linkup init` */
import { writeFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { configTemplate, type TemplateTexts } from "../../core/config/config-template.ts";
import { findServices } from "../../manager/discovery/find-services.ts";
import { LinkupError } from "../../manager/model/problem.ts";
import { print, printJson } from "../print/output.ts";

export async function init(file: string, options: { json?: boolean }): Promise<void> {
  const path = resolve(file);
  const services = await findServices(dirname(path));
  try {
    await writeFile(path, configTemplate(WORDS, services), { flag: "wx" });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "EEXIST")
      throw new LinkupError("config-exists", `${path} exists already and was not changed.`);
    const why = code === "ENOENT" ? `the folder ${dirname(path)} does not exist` : message;
    throw new LinkupError("config-unwritable", `Cannot write ${path}: ${why}.`);
  }
  if (options.json) {
    printJson({ created: path, services });
    return;
  }
  const found = services.map(({ name, local, foundIn }) => `  ${name} at ${local} (${foundIn})\n`).join("");
  print(
    found
      ? `Created ${path} with the services found here:\n${found}Add their deployed addresses and your domain, then run: linkup start\n`
      : `Created ${path}. Add your services, then run: linkup start\n`,
  );
}

const WORDS: TemplateTexts = {
  head: "Linkup: the services of the system and the host names they serve.",
  worker: ["The address of the Linkup Worker. Keep its token out of this file: set LINKUP_WORKER_TOKEN."],
  services: "Each service has a shared deployed copy (remote) and one on your machine (local).",
  foundIn: (file) => `Found in ${file}.`,
  domains: "A session named slim-gecko is at https://slim-gecko.example.com.",
};
