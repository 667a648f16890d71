import { absolute } from "./answers.mjs";

export const loader = ({ request }) => absolute(request);
