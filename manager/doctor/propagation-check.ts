/** Whether services pass the session on, as far as their requests were seen. */
import { lostSentence, propagationHelp } from "../../core/exchange/propagation-words.ts";
import { text } from "../../core/text.ts";
import type { RequestLogClient } from "../components/local-server/control-client.ts";
import { checkRecordedRequests } from "../components/local-server/passed-requests.ts";
import { type DoctorCheck, ok, warning } from "./report.ts";

/** Who lost the session in the last minutes; nothing without requests, or without a local server. */
export async function propagationChecks(log: Pick<RequestLogClient, "requests">): Promise<DoctorCheck[]> {
  const found = await checkRecordedRequests(log).catch(() => undefined);
  if (!found || found.services.length + found.lost.length === 0) return [];
  if (found.lost.length === 0)
    return [ok("propagation", text("All recorded requests carried their session."))];
  return found.lost.map((lost) =>
    warning("propagation", text("{0}\n{1}", lostSentence(lost), propagationHelp(lost.sender)), {
      subject: lost.service ?? undefined,
      fixes: [
        {
          command: "checkPropagation",
          title: "Check Propagation",
          terminal: "linkup check-propagation --probe",
        },
      ],
    }),
  );
}
