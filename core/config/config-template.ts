/** The linkup.yaml that a newcomer starts with. */

/** The comments, in the language of the user; each text is one line. */
export interface TemplateTexts {
  head: string;
  /** Above `worker_url`; says where the token belongs, too. */
  worker: readonly string[];
  services: string;
  /** Above a service that was found in this file. */
  foundIn(file: string): string;
  domains: string;
}

export interface TemplateService {
  name: string;
  local: string;
  directory?: string | undefined;
  foundIn?: string;
}

const EXAMPLES: readonly TemplateService[] = [
  { name: "web", local: "http://localhost:3000" },
  { name: "api", local: "http://localhost:3001" },
];
/** Common names of the service that serves the pages. */
const PAGES = /^(web|www|frontend|client|app|site|ui)$|[-_](web|frontend|client|app|ui)$/;

/** A valid file with these services, or with two examples if there are none. */
export function configTemplate(words: TemplateTexts, found: readonly TemplateService[] = []): string {
  const services = found.length > 0 ? found : EXAMPLES;
  const first = services.find(({ name }) => PAGES.test(name)) ?? services[0]!;
  const others = services.filter((service) => service !== first);
  const lines = [
    `# ${words.head}`,
    "linkup:",
    ...words.worker.map((line) => `  # ${line}`),
    "  worker_url: https://linkup.example.com",
    "",
    "services:",
    `  # ${words.services}`,
    ...services.flatMap((service) => serviceLines(service, words)),
    "",
    "domains:",
    `  # ${words.domains}`,
    "  - domain: example.com",
    `    default_service: ${scalar(first.name)}`,
    ...(others.length > 0 ? ["    routes:"] : []),
    ...others.flatMap(({ name }) => [`      - path: ^/${name}/`, `        service: ${scalar(name)}`]),
  ];
  return `${lines.join("\n")}\n`;
}

function serviceLines({ name, local, directory, foundIn }: TemplateService, words: TemplateTexts): string[] {
  return [
    ...(foundIn === undefined ? [] : [`  # ${words.foundIn(foundIn.replace(/\s+/g, " "))}`]),
    `  - name: ${scalar(name)}`,
    `    remote: https://${name.replaceAll("_", "-")}.example.com`,
    `    local: ${local}`,
    ...(directory === undefined ? [] : [`    directory: ${scalar(directory)}`]),
  ];
}

/** A text as a YAML scalar, quoted where it could be read as something else. */
function scalar(text: string): string {
  const isPlain = /^[a-z_./][\w./-]*$/i.test(text) && !/^(true|false|null|yes|no|on|off|y|n)$/i.test(text);
  return isPlain ? text : JSON.stringify(text);
}
