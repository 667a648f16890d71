import { cookie } from "./answers.mjs";

export const loader = ({ request }) => cookie(request);
