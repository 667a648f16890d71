import { form } from "../answers.mjs";

export const POST = ({ request }) => form(request);
