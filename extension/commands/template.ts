/** The linkup.yaml that a newcomer starts from, in the user's language. */
import { type TemplateService, configTemplate as template } from "../../core/config/config-template.ts";
import { t } from "../words.ts";

/** `services`: as they were found in the workspace; without them it has two examples. */
export function configTemplate(services: readonly TemplateService[] = []): string {
  return template(
    {
      head: t("Linkup: the services of the system, and the host names that they serve."),
      worker: [
        t("The URL of the Linkup Worker. Do not write its token here:"),
        t('the command "Linkup: Set Worker Token…" keeps it in secret storage.'),
      ],
      services: t("Each service has a shared, deployed copy, and one on your machine."),
      foundIn: (file) => t("Found in {0}.", file),
      domains: t("A session named slim-gecko is at https://slim-gecko.example.com."),
    },
    services,
  );
}
