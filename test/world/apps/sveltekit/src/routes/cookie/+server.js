import { cookie } from "../../answers.mjs";

export const GET = ({ request }) => cookie(request);
